using Benji.Nbd.Session;
using Benji.Nbd.Session.Requests;
using Xunit;

namespace Benji.Tests.Nbd.Session;

/// <summary>Who gets memory when little is left, and who is told when there is some.</summary>
public sealed class MemoryBudgetTests
{
    private const long Small = MemoryBudget.SmallMax;

    [Fact]
    public void WhatDoesNotFitWaitsAndIsToldOfEveryRelease()
    {
        var budget = new MemoryBudget(10 * Small);
        var waiter = new Waiter();
        Assert.True(budget.TryTake(9 * Small, isOnly: true, waiter));
        Assert.False(budget.TryTake(2 * Small, isOnly: false, waiter));
        Assert.Equal(9 * Small, budget.Taken);
        budget.Release(Small);
        Assert.Equal(1, waiter.Wakes);
        Assert.True(budget.TryTake(2 * Small, isOnly: false, waiter));
        budget.Release(10 * Small);
        Assert.Equal((0, 1), (budget.Taken, waiter.Wakes));
    }

    [Fact]
    public void TheOnlyRequestOfAConnectionIsLetThroughWhenItIsSmall()
    {
        var budget = new MemoryBudget(Small);
        var waiter = new Waiter();
        Assert.True(budget.TryTake(Small, isOnly: false, waiter));
        Assert.False(budget.TryTake(1, isOnly: false, waiter));
        Assert.True(budget.TryTake(Small, isOnly: true, waiter));
        Assert.False(budget.TryTake(Small + 1, isOnly: true, waiter));
    }

    [Fact]
    public void WhoIsForgottenIsNotWoken()
    {
        var budget = new MemoryBudget(Small);
        var waiter = new Waiter();
        Assert.True(budget.TryTake(Small, isOnly: false, waiter));
        Assert.False(budget.TryTake(Small, isOnly: false, waiter));
        budget.Forget(waiter);
        budget.Release(Small);
        Assert.Equal(0, waiter.Wakes);
    }

    private sealed class Waiter : IWire
    {
        public int Wakes { get; private set; }

        public int Receive(Span<byte> destination, IWireWork work) => throw new NotSupportedException();

        public void Send(Span<IoVector> vectors) => throw new NotSupportedException();

        public void WaitForWake() => throw new NotSupportedException();

        public void Wake() => Wakes++;

        public void Abort() => throw new NotSupportedException();
    }
}
