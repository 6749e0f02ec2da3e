using Benji.Store.Images.Overlays.Files;
using Benji.Store.Model;
using Benji.Store.Operations.Overlays;
using Benji.Store.Operations.Running;
using Benji.Store.Posix;
using Benji.Testing;
using Benji.Testing.Catalogs;
using Benji.Testing.Images;
using Benji.Tests.Operations.Age;
using Xunit;

namespace Benji.Tests.Operations.Overlays;

/// <summary>An overlay file that cannot be dealt with keeps no other one from it.</summary>
public sealed class OverlayRecoveryItemTests
{
    [Fact]
    public async Task EachFileIsDealtWithForItself()
    {
        var clock = new ManualClock();
        using var log = new WarningLog();
        await using var catalog = new MemoryCatalog(new MemoryCatalogPlace(clock));
        var files = new StubbornFiles([.. Enumerable.Range(0, 3).Select(_ => $"/overlays/{Guid.NewGuid():N}.discarded")]);
        var context = new StoreContext
        {
            Catalog = catalog,
            Stores = null!,
            Sources = new MemoryImages(),
            CheckTarget = _ => { },
            Pool = new BlockBufferPool(1 << 20),
            Time = clock,
            Logger = log,
            Settings = new OperationSettings(1 << 22, TimeSpan.Zero, TimeSpan.Zero, 1),
        };

        await new OverlayRecovery(context, new OverlayDirectory("/overlays", files)).RunAsync(CancellationToken.None);

        Assert.Equal([files.Stubborn], files.Left);
        Assert.Contains(log.Warnings, warning => warning.Contains(files.Stubborn[..^10], StringComparison.Ordinal));
    }

    /// <summary>Files of which the first cannot be deleted.</summary>
    private sealed class StubbornFiles(List<string> files) : IOverlayFiles
    {
        public string Stubborn { get; } = files[0];

        public IReadOnlyList<string> Left => files;

        public void CreateDirectory(string path) => throw new NotSupportedException();

        public IOverlayDisk Create(string path, long length) => throw new NotSupportedException();

        public IOverlayDisk Open(string path, bool mayWrite) => throw new NotSupportedException();

        public FileStatus? Find(string path) => files.Contains(path)
            ? new FileStatus(FileKind.Regular, UnixFileMode.None, 0, 0, DateTimeOffset.UnixEpoch, 1, default, default)
            : null;

        public IEnumerable<string> List(string directory) => [.. files];

        public void Rename(string source, string target) => throw new NotSupportedException();

        public void Delete(string path)
        {
            if (path == Stubborn)
            {
                throw new PosixException("delete", path, Errno.NotPermitted);
            }

            files.Remove(path);
        }

        public void SyncDirectory(string path)
        {
        }
    }
}
