using Benji.Cli;
using Benji.Store;
using Benji.Store.Model;
using Benji.Store.Operations;
using Benji.Store.Posix;
using Benji.Store.Sources;
using Benji.Testing.Images;
using Benji.Tests.Operations.Age;
using Xunit;

namespace Benji.Tests.Operations.Failure;

/// <summary>The source of a backup, or the target of a restore, fails at any call, with any kind of error.</summary>
public sealed class TransferFailureTests : IAsyncLifetime
{
    private readonly AgeWorld _world = new();
    private AgeCatalog _catalog = null!;
    private VersionRecord _version = null!;
    private byte[] _content = null!;

    public async Task InitializeAsync()
    {
        _catalog = _world.NewCatalog();
        _content = new byte[(5 * AgeWorld.BlockSize) + 100];
        new Random(7).NextBytes(_content.AsSpan(0, 3 * AgeWorld.BlockSize));
        _world.Images.Set("disk", _content);
        _version = await _world.BackupAsync(_catalog, "disk");
    }

    public async Task DisposeAsync() => await _world.DisposeAsync();

    [Fact]
    public async Task ATargetThatFailsAtAnyCallEndsTheRestoreAndMarksNothing()
    {
        foreach (var errno in CatalogFailureWorld.Kinds)
        {
            for (var (at, calls) = (0, 1); at < calls; at++)
            {
                var faulty = new FaultyImages(_world.Images, at, errno);
                _world.Images.Set("target", [.. Enumerable.Repeat((byte)0xff, _content.Length)]);
                await AssertFailsAsync(faulty, store => store.RestoreAsync(
                    new RestoreRequest { Version = _version.Name.ToString(), Target = "target", Force = true }, NoProgress.Instance));
                calls = Math.Max(calls, faulty.Calls);
            }
        }

        Assert.Equal(_content, await _world.RestoreAsync(_catalog, _version.Name));
    }

    [Fact]
    public async Task ASourceThatFailsAtAnyCallEndsTheBackupAndPublishesNothing()
    {
        new Random(8).NextBytes(_content.AsSpan(AgeWorld.BlockSize, 3 * AgeWorld.BlockSize));
        var before = _world.CountManifests();
        foreach (var errno in CatalogFailureWorld.Kinds)
        {
            for (var (at, calls) = (0, 1); at < calls; at++)
            {
                var faulty = new FaultyImages(_world.Images, at, errno);
                await AssertFailsAsync(faulty, store => AgeWorld.BackupAsync(store, "disk"));
                calls = Math.Max(calls, faulty.Calls);
                Assert.Equal(before, _world.CountManifests());
                Assert.Single(_catalog.Place.State.Versions);
                Assert.Empty(_catalog.Place.State.Intents);
            }
        }

        _world.Clock.Advance(TimeSpan.FromSeconds(1));
        var version = await _world.BackupAsync(_catalog, "disk");
        await _world.CleanUpAsync(_catalog);
        Assert.Equal(_content, await _world.RestoreAsync(_catalog, version.Name));
    }

    private async Task AssertFailsAsync(FaultyImages images, Func<BenjiStore, Task> work)
    {
        await using var store = await _world.StartAsync(_catalog, change: options => options with { Sources = images });
        var failure = await Record.ExceptionAsync(() => work(store));
        Assert.True(
            failure is not null && ExitCodes.Of(failure, isStopped: false) == ExitCodes.InputOutput,
            $"call {images.At} of {images.Calls}: {failure}");
        Assert.All(_catalog.Place.State.Versions.Values, version => Assert.Equal(VersionStatus.Valid, version.Status));
        Assert.All(_catalog.Place.State.Blocks.Values, row => Assert.False(row.IsInvalid));
    }

    /// <summary>Disks whose call of one number fails: reads, writes, zeros and flushes.</summary>
    private sealed class FaultyImages(MemoryImages images, int at, int errno) : ISourceOpener
    {
        private int _calls;

        public int At => at;

        public int Calls => _calls;

        public ISource OpenSource(string address) => new Image(this, images[address]);

        public ITarget OpenTarget(string address, long size, bool force) => new Image(this, images[address]);

        public string? FindPath(string address) => null;

        // As a file does: see WritableFile and ReadableFile.
        private void Pass()
        {
            if (Interlocked.Increment(ref _calls) == at + 1)
            {
                throw new StorageException(
                    $"The disk failed: {Errno.Describe(errno)}.", isTransient: false, new PosixException("use", "the disk", errno));
            }
        }

        private sealed class Image(FaultyImages owner, MemoryImage image) : ISource, ITarget
        {
            public string Description => image.Description;

            public long Size => image.Size;

            public bool IsZeroed => image.IsZeroed;

            public ValueTask ReadAsync(long offset, Memory<byte> destination, CancellationToken cancellationToken)
            {
                owner.Pass();
                return image.ReadAsync(offset, destination, cancellationToken);
            }

            public Extent? FindData(long offset)
            {
                owner.Pass();
                return image.FindData(offset);
            }

            public void Release(long offset, long length) => image.Release(offset, length);

            public ValueTask WriteAsync(long offset, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
            {
                owner.Pass();
                return image.WriteAsync(offset, content, cancellationToken);
            }

            public ValueTask ZeroAsync(long offset, long length, CancellationToken cancellationToken)
            {
                owner.Pass();
                return image.ZeroAsync(offset, length, cancellationToken);
            }

            public ValueTask FlushAsync(CancellationToken cancellationToken)
            {
                owner.Pass();
                return image.FlushAsync(cancellationToken);
            }

            public ValueTask DisposeAsync() => image.DisposeAsync();
        }
    }
}
