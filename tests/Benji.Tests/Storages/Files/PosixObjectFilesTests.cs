using System.Buffers;
using Benji.Store.Posix;
using Benji.Store.Posix.Directories;
using Benji.Store.Storages.Files;
using Benji.Testing;
using Xunit;

namespace Benji.Tests.Storages.Files;

/// <summary>What the calls of Linux leave in the directory of a file storage when one of them fails.</summary>
public sealed class PosixObjectFilesTests
{
    /// <summary>Bytes that lie for a direct write, and some that do not.</summary>
    [Theory]
    [InlineData(4096)]
    [InlineData(4097)]
    public void AWriteThatFailsLeavesNoFile(int address)
    {
        using var directory = new TemporaryDirectory();
        using var root = new RootDirectory(directory.Path);
        var files = new PosixObjectFiles(root);
        using var nowhere = new UnreadableMemory(address, length: 8192);

        var failure = Assert.Throws<PosixException>(() => files.Write("1", nowhere.Memory));

        Assert.NotEqual(Errno.Exists, failure.Errno);
        Assert.Empty(Directory.EnumerateFileSystemEntries(directory.Path));
        using var staged = files.Write("1", new byte[10]);
        Assert.True(files.Exists("1"));
    }

    /// <summary>Bytes at an address that no process has: whoever writes them to a file is refused by the kernel.</summary>
    private sealed unsafe class UnreadableMemory(int address, int length) : MemoryManager<byte>
    {
        public override Span<byte> GetSpan() => new((void*)address, length);

        public override MemoryHandle Pin(int elementIndex = 0) => new((void*)(address + elementIndex));

        public override void Unpin()
        {
        }

        protected override void Dispose(bool disposing)
        {
        }
    }
}
