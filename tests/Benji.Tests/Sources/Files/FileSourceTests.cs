using Benji.Store.Model;
using Benji.Store.Posix;
using Benji.Store.Sources;
using Benji.Store.Sources.Files;
using Benji.Testing;
using Xunit;

namespace Benji.Tests.Sources.Files;

public sealed class FileSourceTests : IDisposable
{
    private static readonly SourceOpener Opener = new(IoOptions.Default);

    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task AnyRangeIsReadAsItIs()
    {
        var content = Write("file", 3 * 1024 * 1024 / 2);
        await using var source = Opener.OpenSource(_directory["file"]);
        Assert.Equal(content.Length, source.Size);
        await Seeded.RunAsync(async random =>
        {
            for (var i = 0; i < 100; i++)
            {
                var offset = random.Next(content.Length + 1);
                var part = new byte[random.Next(content.Length - offset + 1)];
                await source.ReadAsync(offset, part, CancellationToken.None);
                Assert.True(part.AsSpan().SequenceEqual(content.AsSpan(offset, part.Length)), $"{part.Length} at {offset}");
                source.Release(offset, part.Length);
            }
        });
    }

    [Fact]
    public async Task ASymbolicLinkIsFollowed()
    {
        var content = Write("file", 5000);
        File.CreateSymbolicLink(_directory["link"], "file");
        await using var source = Opener.OpenSource($"file://{_directory["link"]}");
        var read = new byte[5000];
        await source.ReadAsync(0, read, CancellationToken.None);
        Assert.Equal(content, read);
    }

    [Fact]
    public async Task AnEmptyFileIsASourceOfNoBytes()
    {
        Write("file", 0);
        await using var source = Opener.OpenSource(_directory["file"]);
        Assert.Equal(0, source.Size);
        Assert.Null(source.FindData(0));
        await source.ReadAsync(0, Memory<byte>.Empty, CancellationToken.None);
    }

    [Fact]
    public async Task ReadPastTheEndIsABrokenInvariant()
    {
        Write("file", 5000);
        await using var source = Opener.OpenSource(_directory["file"]);
        await Assert.ThrowsAsync<InvariantException>(
            async () => await source.ReadAsync(4000, new byte[1001], CancellationToken.None));
    }

    [Fact]
    public async Task AFileThatBecomesShorterFailsWithItsSizes()
    {
        Write("file", 1_000_000);
        await using var source = Opener.OpenSource(_directory["file"]);
        Truncate("file", 600_000);
        await source.ReadAsync(0, new byte[600_000], CancellationToken.None);
        var error = await Assert.ThrowsAsync<StorageException>(
            async () => await source.ReadAsync(500_000, new byte[200_000], CancellationToken.None));
        Assert.Contains("ends at offset 600000 and was 1000000 bytes", error.Message, StringComparison.Ordinal);
        error = Assert.Throws<StorageException>(() => source.FindData(700_000));
        Assert.Contains("ends at offset 600000 and was 1000000 bytes", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AFileThatGrowsIsReadToItsFirstEnd()
    {
        Write("file", 100_000);
        await using var source = Opener.OpenSource(_directory["file"]);
        using (var file = new FileStream(_directory["file"], FileMode.Append))
        {
            file.Write(new byte[100_000]);
        }

        Assert.Equal(100_000, source.Size);
        Assert.Equal(100_000, source.FindData(0)!.Value.End);
        Assert.Null(source.FindData(100_000));
    }

    [Theory]
    [InlineData(100_000, 99_999, "shorter")]
    [InlineData(100_000, 0, "shorter")]
    [InlineData(100_000, 100_001, "longer")]
    [InlineData(0, 1, "longer")]
    public async Task AFileOfAnotherSizeThanAtTheStartIsTold(int size, int later, string word)
    {
        Write("file", size);
        await using var source = Opener.OpenSource(_directory["file"]);
        source.RequireSameSize();
        Truncate("file", later);
        var error = Assert.Throws<StorageException>(source.RequireSameSize);
        Assert.Contains(word, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/proc/self/status")]
    [InlineData("/proc/cpuinfo")]
    public void AFileWithContentButNoSizeIsRefused(string path)
    {
        var error = Assert.Throws<StorageException>(() => Opener.OpenSource(path));
        Assert.Contains("no size", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task TheRunsOfDataCoverAllThatIsNotZero() => await Seeded.RunAsync(async random =>
    {
        const int Unit = 64 * 1024;
        var model = new byte[(40 * Unit) + 777];
        using (var file = File.Create(_directory["sparse"]))
        {
            file.SetLength(model.Length);
            for (var i = 0; i < 12; i++)
            {
                var offset = random.Next(model.Length);
                var part = model.AsSpan(offset, Math.Min(random.Next(1, 2 * Unit), model.Length - offset));
                random.NextBytes(part);
                file.Position = offset;
                file.Write(part);
            }
        }

        await using var source = Opener.OpenSource(_directory["sparse"]);
        var read = new byte[model.Length];
        var end = 0L;
        while (source.FindData(end) is { } run)
        {
            Assert.Equal(ExtentKind.Data, run.Kind);
            Assert.InRange(run.Offset, end, model.Length - 1);
            Assert.InRange(run.End, run.Offset + 1, model.Length);
            await source.ReadAsync(run.Offset, read.AsMemory((int)run.Offset, (int)run.Length), CancellationToken.None);
            end = run.End;
        }

        Assert.True(read.AsSpan().SequenceEqual(model), $"differs at {read.AsSpan().CommonPrefixLength(model)}");
    });

    [Fact]
    public async Task HolesAreSkipped()
    {
        using (var file = File.Create(_directory["sparse"]))
        {
            file.SetLength(1L << 40);
            file.Position = 1L << 39;
            file.WriteByte(1);
        }

        await using var source = Opener.OpenSource(_directory["sparse"]);
        var run = source.FindData(0)!.Value;
        Assert.InRange(run.Offset, (1L << 39) - (1 << 20), 1L << 39);
        Assert.InRange(run.Length, 1, 1 << 21);
        Assert.Null(source.FindData(run.End));
    }

    [Fact]
    public async Task AFileOfHolesHasNoData()
    {
        using (var file = File.Create(_directory["sparse"]))
        {
            file.SetLength(100_000_000);
        }

        await using var source = Opener.OpenSource(_directory["sparse"]);
        Assert.Null(source.FindData(0));
        Truncate("sparse", 50_000_000);
        Assert.Throws<StorageException>(() => source.FindData(0));
    }

    [Fact]
    public void WhatCannotBeReadIsNamed()
    {
        var missing = Assert.Throws<NotFoundException>(() => Opener.OpenSource(_directory["none"]));
        Assert.Contains(_directory["none"], missing.Message, StringComparison.Ordinal);
        Assert.Throws<NotFoundException>(() => Opener.OpenSource(_directory["none/none"]));
        var directory = Assert.Throws<StorageException>(() => Opener.OpenSource(_directory.Path));
        Assert.Contains("it is a directory", directory.Message, StringComparison.Ordinal);
        Assert.Throws<StorageException>(() => Opener.OpenSource("/dev/null"));
        File.CreateSymbolicLink(_directory["loop"], "loop");
        Assert.Throws<StorageException>(() => Opener.OpenSource(_directory["loop"]));
    }

    [Fact]
    public void AFileThatCannotBeReadFailsWithItsReason()
    {
        // The kernel lets every process open its own memory, and refuses to read it at address zero.
        using var file = ReadableFile.Open("/proc/self/mem", "the memory");
        var error = Assert.Throws<StorageException>(() => file.Read(0, new byte[16], 16));
        Assert.Contains("Reading 16 bytes at offset 0 of the memory failed: input/output", error.Message, StringComparison.Ordinal);
        Assert.IsType<PosixException>(error.InnerException);
    }

    private byte[] Write(string name, int length)
    {
        var content = new byte[length];
        new Random(length).NextBytes(content);
        using var file = File.Create(_directory[name]);
        file.Write(content);
        return content;
    }

    private void Truncate(string name, long length)
    {
        using var file = new FileStream(_directory[name], FileMode.Open, FileAccess.Write, FileShare.ReadWrite);
        file.SetLength(length);
    }
}
