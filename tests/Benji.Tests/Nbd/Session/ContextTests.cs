using Benji.Nbd.Protocol;
using Benji.Nbd.Session.Haggling;
using Xunit;

namespace Benji.Tests.Nbd.Session;

/// <summary>What the specification demands of metadata contexts, and what ours say.</summary>
public sealed class ContextTests
{
    private const uint HoleAndZero = 3;

    [Fact]
    public async Task ContextsNeedStructuredReplies()
    {
        await using var served = await ServedImages.StartAsync();
        await using var probe = await served.ConnectAsync();
        await probe.GreetAsync();
        foreach (var option in new[] { OptionCode.ListMetaContext, OptionCode.SetMetaContext })
        {
            var request = new ContextRequest("vm1/v1", ["base:allocation"]);
            var data = new byte[request.Size];
            request.Write(data);
            Assert.Equal(OptionReply.ErrInvalid, Assert.Single(await probe.AskAsync(option, data)).Reply);
        }
    }

    [Fact]
    public async Task WildcardsListAndDoNotChoose()
    {
        await using var served = await ServedImages.StartAsync();
        served.Images.Add("vm1/v2", served.Content);
        await using var probe = await served.ConnectAsync();
        await probe.GreetAsync();
        await probe.StructureAsync();
        Assert.Equal(
            ["base:allocation", "x-benji:bad", "x-benji:changed:vm1/v1"], await ListAsync(probe));
        Assert.Equal(["base:allocation"], await ListAsync(probe, "base:"));
        Assert.Equal(["x-benji:bad", "x-benji:changed:vm1/v1"], await ListAsync(probe, "x-benji:"));
        Assert.Equal(["x-benji:changed:vm1/v1"], await ListAsync(probe, "x-benji:changed:"));
        Assert.Equal(["base:allocation"], await ListAsync(probe, "qemu:dirty-bitmap:x", "base:allocation", "base:other"));
        Assert.Empty(await ListAsync(probe, "qemu:"));
        Assert.Empty(await probe.AskContextsAsync(
            OptionCode.SetMetaContext, "vm1/v2", "base:", "x-benji:", "x-benji:changed:", "qemu:", "x-benji:changed:vm9/v9"));
        var chosen = await probe.AskContextsAsync(
            OptionCode.SetMetaContext, "vm1/v2", "base:allocation", "x-benji:bad", "base:allocation");
        Assert.Equal(["base:allocation", "x-benji:bad"], chosen.Select(context => context.Name));
        Assert.Equal(2, chosen.Select(context => context.Id).Distinct().Count());
    }

    [Fact]
    public async Task ContextsChosenForAnotherExportDoNotCount()
    {
        await using var served = await ServedImages.StartAsync();
        await using var probe = await served.ConnectAsync();
        await probe.GreetAsync();
        await probe.StructureAsync();
        Assert.Single(await probe.AskContextsAsync(OptionCode.SetMetaContext, "vm1/latest", "base:allocation"));
        await probe.AskForAsync(OptionCode.Go, "vm1/v1");
        Assert.Equal(NbdError.Invalid, (await probe.CallAsync(Command.BlockStatus, 0, 4096)).Error);
        Assert.Equal(served.Content[..10], (await probe.CallAsync(Command.Read, 0, 10)).Data);
    }

    [Fact]
    public async Task AFailedChoiceForgetsTheOneBefore()
    {
        await using var served = await ServedImages.StartAsync();
        await using var probe = await served.ConnectAsync();
        await probe.GreetAsync();
        await probe.StructureAsync();
        Assert.Single(await probe.AskContextsAsync(OptionCode.SetMetaContext, "vm1/v1", "base:allocation"));
        Assert.Equal(OptionReply.ErrInvalid, (await probe.AskAsync(OptionCode.SetMetaContext, 1, 2))[0].Reply);
        await probe.AskForAsync(OptionCode.Go, "vm1/v1");
        Assert.Equal(NbdError.Invalid, (await probe.CallAsync(Command.BlockStatus, 0, 4096)).Error);
    }

    /// <summary>Each one that is chosen is a chunk of every status.</summary>
    [Fact]
    public async Task OnlySoManyContextsCanBeChosen()
    {
        await using var served = await ServedImages.StartAsync();
        var others = Enumerable.Range(2, ContextOptions.ChosenMax).Select(i => $"vm1/v{i}").ToList();
        others.ForEach(name => served.Images.Add(name, served.Content));
        string[] names = ["base:allocation", .. others.Select(name => $"x-benji:changed:{name}")];
        await using var probe = await served.ConnectAsync();
        await probe.GreetAsync();
        await probe.StructureAsync();
        var most = names[..ContextOptions.ChosenMax];
        Assert.Equal(most.Length, (await probe.AskContextsAsync(OptionCode.SetMetaContext, "vm1/v1", most)).Count);
        var request = new ContextRequest("vm1/v1", names);
        var data = new byte[request.Size];
        request.Write(data);
        Assert.Equal(OptionReply.ErrTooBig, Assert.Single(await probe.AskAsync(OptionCode.SetMetaContext, data)).Reply);

        // As after any choice that failed, none holds.
        await probe.AskForAsync(OptionCode.Go, "vm1/v1");
        Assert.Equal(NbdError.Invalid, (await probe.CallAsync(Command.BlockStatus, 0, 4096)).Error);
    }

    [Fact]
    public async Task AllocationIsExactAndAnswersFromTheOffset()
    {
        await using var served = await ServedImages.StartAsync();
        await using var probe = await served.OpenAsync("vm1/v1", true, "base:allocation");
        var whole = await probe.CallAsync(Command.BlockStatus, 0, ServedImages.Size);
        Assert.Equal(
            [new(256 * 1024, 0), new(256 * 1024, HoleAndZero), new(ServedImages.Size - (512 * 1024), 0)],
            Assert.Single(whole.Status).Value);
        var part = await probe.CallAsync(Command.BlockStatus, 255 * 1024, 2048);
        Assert.Equal([new(1024, 0), new(1024, HoleAndZero)], Assert.Single(part.Status).Value);
        var one = await probe.CallAsync(Command.BlockStatus, 255 * 1024, 2048, CommandFlags.RequestOne);
        Assert.Equal([new(1024, 0)], Assert.Single(one.Status).Value);
        Assert.Equal([ChunkType.BlockStatus], whole.Chunks);
    }

    [Fact]
    public async Task EachChosenContextIsOneChunk()
    {
        await using var served = await ServedImages.StartAsync();
        var changed = served.Content.ToArray();
        changed[8192] ^= 1;
        served.Images.Add("vm1/v2", changed);
        served.Images.Faults.Damaged = (16384, 4096);
        await using var probe = await served.OpenAsync(
            "vm1/v2", true, "x-benji:bad", "x-benji:changed:vm1/v1", "base:allocation");
        var reply = await probe.CallAsync(Command.BlockStatus, 0, 65536);
        Assert.Equal(3, reply.Chunks.Count);
        Assert.Equal([new(16384, 0), new(4096, 1), new(45056, 0)], reply.Status[1]);
        Assert.Equal([new(8192, 0), new(4096, 1), new(53248, 0)], reply.Status[2]);
        Assert.Equal([new(65536, 0)], reply.Status[3]);
        served.Images.Faults.Damaged = default;
    }

    [Fact]
    public async Task StatusOfNothingOrBeyondTheEndIsRefused()
    {
        await using var served = await ServedImages.StartAsync();
        await using var probe = await served.OpenAsync("vm1/v1", true, "base:allocation");
        Assert.Equal(NbdError.Invalid, (await probe.CallAsync(Command.BlockStatus, 0, 0)).Error);
        Assert.Equal(NbdError.Invalid, (await probe.CallAsync(Command.BlockStatus, 1, ServedImages.Size)).Error);
        Assert.Equal(NbdError.Invalid, (await probe.CallAsync(Command.BlockStatus, ulong.MaxValue, 4096)).Error);
    }

    private static async Task<IEnumerable<string>> ListAsync(NbdProbe probe, params string[] queries) =>
        (await probe.AskContextsAsync(OptionCode.ListMetaContext, "vm1/v2", queries)).Select(context => context.Name);
}
