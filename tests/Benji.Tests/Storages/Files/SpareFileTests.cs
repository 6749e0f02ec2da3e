using Benji.Store.Posix;
using Benji.Store.Storages;
using Benji.Store.Storages.Files;
using Benji.Testing;
using Benji.Testing.Storages;
using Xunit;

namespace Benji.Tests.Storages.Files;

/// <summary>Puts small objects on a simulated disk that is full.</summary>
public sealed class SpareFileTests
{
    [Fact]
    public void OneSmallObjectIsPutOnAFullDiskAndAgainAfterADeletion()
    {
        var (files, writers) = FullDisk();
        Put(writers[0], "marks/1", 15);
        Assert.Equal(15, files.Read("marks/1")?.Length);
        foreach (var writer in writers)
        {
            Assert.Throws<PosixException>(() => Put(writer, "marks/2", 15));
        }

        files.IsFull = false;
        writers[1].Delete([new ObjectName("marks/0")]);
        files.IsFull = true;
        Put(writers[0], "marks/2", 15);
        Assert.Equal(15, files.Read("marks/2")?.Length);
    }

    [Fact]
    public void TheSpareIsForSmallObjectsOnly()
    {
        var (files, writers) = FullDisk();
        Assert.Throws<PosixException>(() => Put(writers[0], "versions/1", SpareFile.ContentMax + 1));
        Put(writers[0], "marks/1", SpareFile.ContentMax);
        Assert.Equal(SpareFile.ContentMax, files.Read("marks/1")?.Length);
    }

    [Fact]
    public void ADiskThatTakesOneMoreFileAndNoDirectoryTakesTheSpare()
    {
        var files = new SimulatedFileSystem(SimulatedLie.None, ".tmp", "marks");
        var writer = new ObjectFileWriter(files, () => throw new PosixException("create", ".tmp/0", Errno.NoSpace));
        writer.Delete([new ObjectName("marks/0")]);
        Assert.True(files.Exists(".tmp/spare"));

        Put(writer, "marks/1", 15);
        Assert.Equal(15, files.Read("marks/1")?.Length);
    }

    [Fact]
    public void NobodyTakesASpareThatSomebodyWritesOver()
    {
        var (files, writers) = FullDisk();
        using var taken = writers[0].Stage(new byte[15]);
        Assert.Throws<PosixException>(() => Put(writers[1], "marks/2", 15));
        writers[0].Abandon(taken);
        Put(writers[1], "marks/2", 15);
        Assert.Equal(15, files.Read("marks/2")?.Length);
    }

    [Fact]
    public void ACrashOnAFullDiskLeavesTheWholeObjectOrNone() => Seeded.Run(random =>
    {
        for (var step = 0; step < 40; step++)
        {
            var (files, writers) = FullDisk();
            files.StepsToCrash = step % 8;
            var crash = Record.Exception(() => Put(writers[0], "marks/1", 15));
            files.Crash(random);
            var found = files.Read("marks/1");
            Assert.True(found is null ? crash is not null : found.SequenceEqual(Content(15)), $"{step}");

            // A rename that reached the disk by half has freed the space.
            if (found is null && files.Exists(".tmp/spare"))
            {
                Put(writers[1], "marks/1", 15);
                Assert.Equal(Content(15), files.Read("marks/1"));
            }
        }
    });

    // A storage that was used before, by two processes.
    private static (SimulatedFileSystem Files, ObjectFileWriter[] Writers) FullDisk()
    {
        var files = new SimulatedFileSystem(SimulatedLie.None, ".tmp", ".tmp/0", ".tmp/1");
        ObjectFileWriter[] writers =
        [
            .. Enumerable.Range(0, 2).Select(i => new ObjectFileWriter(files, () => $".tmp/{i}")),
        ];
        Put(writers[0], "marks/0", 15);
        Put(writers[1], "marks/0", 15);
        files.IsFull = true;
        return (files, writers);
    }

    private static void Put(ObjectFileWriter writer, string name, int length)
    {
        var staged = new Dictionary<ObjectName, IStagedFile> { [new ObjectName(name)] = writer.Stage(Content(length)) };
        writer.Publish(staged, new HashSet<ObjectName>());
    }

    private static byte[] Content(int length) => [.. Enumerable.Range(1, length).Select(i => (byte)i)];
}
