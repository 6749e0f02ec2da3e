using Benji.Nbd.Protocol;
using Benji.Nbd.Session.Requests;
using Xunit;

namespace Benji.Tests.Nbd.Session.Requests;

/// <summary>What of a request can be told from its header: proto.md, "Request types", "Command flags" and "Error
/// values".</summary>
public sealed class RequestCheckTests
{
    private const uint Size = 10_000;

    [Fact]
    public void AReadOnlyExportTakesNoChangeWhateverItIs()
    {
        foreach (var command in new[] { Command.Write, Command.Trim, Command.WriteZeroes })
        {
            Assert.Equal(NbdError.NotPermitted, Find(command, 0, 1, isReadOnly: true));
            Assert.Equal(NbdError.NotPermitted, Find(command, 0, 0, isReadOnly: true));
            Assert.Equal(NbdError.NotPermitted, Find(command, Size, 1, isReadOnly: true));
            Assert.Equal(NbdError.None, Find(command, 0, 1));
        }
    }

    [Fact]
    public void AReadOnlyExportTakesWhatChangesNothing() => Assert.All(
        new[] { Command.Read, Command.Cache, Command.Flush, Command.BlockStatus },
        command => Assert.Equal(NbdError.None, Find(command, 0, 1, isReadOnly: true)));

    [Fact]
    public void ARequestEndsInTheExport()
    {
        foreach (var (command, error) in new[]
        {
            (Command.Read, NbdError.Invalid), (Command.Cache, NbdError.Invalid), (Command.BlockStatus, NbdError.Invalid),
            (Command.Trim, NbdError.Invalid), (Command.Write, NbdError.NoSpace), (Command.WriteZeroes, NbdError.NoSpace),
        })
        {
            Assert.Equal(NbdError.None, Find(command, 0, Size));
            Assert.Equal(NbdError.None, Find(command, Size - 1, 1));
            Assert.Equal(error, Find(command, 0, Size + 1));
            Assert.Equal(error, Find(command, Size - 1, 2));
            Assert.Equal(error, Find(command, Size, 1));
            Assert.Equal(error, Find(command, Size + 1, 1));
            Assert.Equal(error, Find(command, ulong.MaxValue, 1));
            Assert.Equal(error, Find(command, ulong.MaxValue - 1, 3));
        }
    }

    [Fact]
    public void WhatCarriesDataIsNoLongerThanTheLargestPayload()
    {
        foreach (var (command, error) in new[]
        {
            (Command.Read, NbdError.Invalid), (Command.Write, NbdError.Invalid), (Command.Cache, NbdError.None),
            (Command.Trim, NbdError.None), (Command.WriteZeroes, NbdError.None),
        })
        {
            Assert.Equal(NbdError.None, Find(command, 0, NbdLimits.PayloadMax, size: 1L << 40));
            Assert.Equal(error, Find(command, 0, NbdLimits.PayloadMax + 1, size: 1L << 40));
        }
    }

    [Fact]
    public void BlockStatusNeedsAContextAndALength()
    {
        Assert.Equal(NbdError.Invalid, Find(Command.BlockStatus, 0, 1, hasContexts: false));
        Assert.Equal(NbdError.Invalid, Find(Command.BlockStatus, 0, 0));
        Assert.Equal(NbdError.None, Find(Command.BlockStatus, 0, 1, CommandFlags.RequestOne));
    }

    [Fact]
    public void EachFlagIsForItsCommands()
    {
        foreach (var (command, allowed) in new[]
        {
            (Command.Read, CommandFlags.Fua | CommandFlags.DontFragment),
            (Command.Write, CommandFlags.Fua),
            (Command.Trim, CommandFlags.Fua),
            (Command.Cache, CommandFlags.Fua),
            (Command.Flush, CommandFlags.Fua),
            (Command.WriteZeroes, CommandFlags.Fua | CommandFlags.NoHole | CommandFlags.FastZero),
            (Command.BlockStatus, CommandFlags.Fua | CommandFlags.RequestOne),
        })
        {
            for (var bit = 0; bit < 16; bit++)
            {
                var flag = (CommandFlags)(1 << bit);
                var expected = (allowed & flag) != 0 ? NbdError.None : NbdError.Invalid;
                Assert.Equal((command, flag, expected), (command, flag, Find(command, 0, 1, flag)));
            }
        }
    }

    [Fact]
    public void DontFragmentIsForStructuredReplies() =>
        Assert.Equal(NbdError.Invalid, Find(Command.Read, 0, 1, CommandFlags.DontFragment, isStructured: false));

    [Theory]
    [InlineData(2)]
    [InlineData(8)]
    [InlineData(0xffff)]
    public void OtherCommandsAreNotKnown(ushort command) =>
        Assert.Equal(NbdError.Invalid, Find((Command)command, 0, 1));

    private static NbdError Find(
        Command command,
        ulong offset,
        uint length,
        CommandFlags flags = CommandFlags.None,
        bool isReadOnly = false,
        bool isStructured = true,
        bool hasContexts = true,
        long size = Size)
    {
        var check = new RequestCheck(
            size, isReadOnly ? TransmissionFlags.ReadOnly : TransmissionFlags.None, isStructured, hasContexts);
        return check.Find(new RequestHeader(flags, command, Cookie: 1, offset, length)).Error;
    }
}
