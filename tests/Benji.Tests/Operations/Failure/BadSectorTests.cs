using System.Security.Cryptography;
using Benji.Store;
using Benji.Store.Model;
using Benji.Store.Operations;
using Benji.Testing;
using Benji.Testing.Storages;
using Xunit;

namespace Benji.Tests.Operations.Failure;

/// <summary>What a disk does not give of one object is that object's damage, in the frame in which it is; what is too much behind
/// an object is damage in every scrub.</summary>
public sealed class BadSectorTests : IAsyncLifetime
{
    private const int Frame = BlockGeometry.FrameSize;
    private const int Block = 16 * Frame;

    private readonly StoreFixture _store;
    private Func<StorageCall, bool> _fails = _ => false;
    private byte[] _content = [];
    private VersionRecord _version = null!;

    public BadSectorTests() => _store = new StoreFixture
    {
        BlockSize = Block,
        Parts = StoreParts.Plain with { WrapStorage = inner => new FaultyStorage(inner, Answer) },
    };

    public async Task InitializeAsync()
    {
        _content = RandomNumberGenerator.GetBytes(3 * Block);
        _store.Images.Set("disk", _content.ToArray());
        _version = (await _store.BackupAsync("disk")).Version;
        await _store.CloseAsync();
    }

    public async Task DisposeAsync() => await _store.DisposeAsync();

    [Theory]
    [InlineData(Frame)]
    [InlineData((7 * Frame) + 99)]
    [InlineData(Block)]
    public async Task ABadSectorCostsTheFrameThatItIsIn(int position)
    {
        var name = _store.Objects("blocks")[1];
        _fails = call => call.Name == name && call.Covers(position);

        var (result, restored) = await _store.RestoreAsync(_version.Name.ToString(), "target");

        var damage = Assert.Single(result.Damage);
        Assert.Equal(Frame, damage.Length);
        _content.AsSpan((int)damage.Offset, Frame).Clear();
        Assert.Equal(_content, restored);
        Assert.Equal([damage], (await ScrubAsync(isDeep: true)).Damage);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task AnObjectThatCannotBeLookedUpIsDamaged(bool isDeep)
    {
        var name = _store.Objects("blocks")[1];
        _fails = call => call.Name == name;
        Assert.Equal(Block, (await ScrubAsync(isDeep)).Damage.Sum(damage => damage.Length));
        Assert.Equal(VersionStatus.Invalid, (await (await _store.StoreAsync()).ListAsync(null))[0].Status);
    }

    [Theory]
    [InlineData("pages", false)]
    [InlineData("pages", true)]
    [InlineData("versions", false)]
    [InlineData("versions", true)]
    public async Task APageOrManifestThatCannotBeLookedUpIsWrittenAgain(string folder, bool isDeep)
    {
        var name = _store.Objects(folder)[0];
        _fails = call => call.Name == name && call.Kind is StorageCallKind.Find or StorageCallKind.Read;
        Assert.Empty((await ScrubAsync(isDeep)).Damage);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task ADiskOnWhichNothingCanBeLookedUpFails(bool isDeep)
    {
        _fails = call => call.Name.StartsWith("blocks/", StringComparison.Ordinal)
            && call.Kind is StorageCallKind.Find or StorageCallKind.Read;
        await Assert.ThrowsAsync<StorageException>(() => ScrubAsync(isDeep));
        Assert.Equal(VersionStatus.Valid, (await (await _store.StoreAsync()).ListAsync(null))[0].Status);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(5000)]
    public async Task BytesAfterTheEndOfAnObjectAreFoundByEveryScrubAndLoseNothing(int count)
    {
        await using (var file = new FileStream(Path.Combine(_store.StoragePath, _store.Objects("blocks")[1]), FileMode.Append))
        {
            await file.WriteAsync(new byte[count]);
        }

        foreach (var isDeep in new[] { false, true, false, true })
        {
            var scrub = await ScrubAsync(isDeep);
            Assert.Equal(Block, Assert.Single(scrub.Damage).Length);
            Assert.Equal(VersionStatus.Invalid, scrub.Version.Status);
            var (result, restored) = await _store.RestoreAsync(_version.Name.ToString(), $"target-{Guid.NewGuid():N}");
            Assert.Empty(result.Damage);
            Assert.Equal(_content, restored);
        }

        await _store.BackupAsync("disk");
        Assert.Empty((await ScrubAsync(isDeep: false)).Damage);
        var healed = await ScrubAsync(isDeep: true);
        Assert.Empty(healed.Damage);
        Assert.Equal(VersionStatus.Valid, healed.Version.Status);
    }

    private Fault? Answer(StorageCall call) => _fails(call)
        ? new Fault { Before = new StorageException("Input/output error", isTransient: false) { IsUnreadable = true } }
        : null;

    private async Task<ScrubResult> ScrubAsync(bool isDeep) =>
        await (await _store.StoreAsync()).ScrubAsync(
            new ScrubRequest { Version = _version.Name.ToString(), IsDeep = isDeep }, NoProgress.Instance);
}
