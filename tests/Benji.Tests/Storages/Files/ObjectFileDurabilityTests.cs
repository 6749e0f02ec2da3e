using Benji.Store.Posix;
using Benji.Store.Storages;
using Benji.Store.Storages.Files;
using Benji.Testing.Storages;
using Xunit;

namespace Benji.Tests.Storages.Files;

/// <summary>What a file storage said is done, after a crash that leaves nothing but what was synced.</summary>
public sealed class ObjectFileDurabilityTests
{
    private readonly SimulatedFileSystem _files = new(SimulatedLie.None, ".tmp");
    private readonly ObjectFileWriter _writer;

    public ObjectFileDurabilityTests() => _writer = new ObjectFileWriter(_files, () => ".tmp");

    [Theory]
    [InlineData("a", false)]
    [InlineData("a", true)]
    [InlineData("a/b/c", false)]
    [InlineData("a/b/c", true)]
    public void AnObjectIsThereWithItsBytes(string name, bool isCreated)
    {
        Put(name, isCreated);
        Put(name + "2", isCreated);

        _files.Crash(random: null);

        Assert.Equal(Content, _files.Read(name));
        Assert.Equal(Content, _files.Read(name + "2"));
    }

    /// <summary>Whoever made it may not have come so far as to sync it, and the caller relies on it.</summary>
    [Fact]
    public void AnObjectThatIsInTheWayOfACreateIsThere()
    {
        using var other = _writer.Stage(Content);
        _files.SyncFiles([other]);
        _files.TryCreateDirectory("a");
        _files.Rename(other.Path, "a/b");

        Assert.False(_writer.TryCreate(new ObjectName("a/b"), Content));

        _files.Crash(random: null);
        Assert.Equal(Content, _files.Read("a/b"));
    }

    [Theory]
    [InlineData("a/b")]
    [InlineData("a")]
    public void AnObjectInADirectoryThatWasRemovedAndMadeAgainIsThere(string removed)
    {
        foreach (var isCreated in new[] { false, true })
        {
            Put("a/b/1", isCreated);
            _files.RemoveDirectory(removed);
            Put("a/b/2", isCreated);

            _files.Crash(random: null);

            Assert.Null(_files.Read("a/b/1"));
            Assert.Equal(Content, _files.Read("a/b/2"));
            _writer.Delete([new("a/b/2")]);
        }
    }

    /// <summary>What failed to become durable is not known as durable: the next put into it syncs it again.</summary>
    [Fact]
    public void AnObjectInADirectoryWhoseSyncFailedBeforeIsThere()
    {
        // Sync the file, create two directories, rename; then come the syncs of three directories.
        for (var step = 4; step <= 6; step++)
        {
            var run = new ObjectFileDurabilityTests();
            using var staged = run._writer.Stage(Content);
            run._files.StepsToFailure = step;
            Assert.Throws<PosixException>(
                () => run._writer.Publish(
                    new Dictionary<ObjectName, IStagedFile> { [new("a/b/1")] = staged }, mustBeNew: new HashSet<ObjectName>()));
            run.Put("a/b/2", isCreated: false);

            run._files.Crash(random: null);

            Assert.Equal(Content, run._files.Read("a/b/2"));
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void ADeletedObjectIsGoneAlsoWhenAnotherRunHasJustDeletedIt(bool isDeletedByAnother)
    {
        Put("a/1", isCreated: false);
        if (isDeletedByAnother)
        {
            _files.Delete("a/1");
        }

        _writer.Delete([new("a/1")]);

        _files.Crash(random: null);
        Assert.Null(_files.Read("a/1"));
    }

    private static byte[] Content { get; } = [.. Enumerable.Range(0, 100).Select(i => (byte)(i + 1))];

    private void Put(string name, bool isCreated)
    {
        if (isCreated)
        {
            Assert.True(_writer.TryCreate(new ObjectName(name), Content));
            return;
        }

        using var file = _writer.Stage(Content);
        _writer.Publish(
            new Dictionary<ObjectName, IStagedFile> { [new(name)] = file }, mustBeNew: new HashSet<ObjectName>());
    }
}
