using Benji.Store.Posix;
using Benji.Store.Storages;
using Benji.Store.Storages.Files;
using Benji.Testing.Storages;
using Xunit;

namespace Benji.Tests.Storages.Files;

/// <summary>A deletion that compares, while others put what they like and the disk fails at any step.</summary>
public sealed class TryDeleteTests
{
    private static readonly ObjectName Name = new("a/b");
    private static readonly byte[] Expected = [1, 2, 3];
    private static readonly byte[] Other = [4, 5, 6, 7];

    private readonly SimulatedFileSystem _files = new(SimulatedLie.None, ".tmp");
    private readonly MeetingFiles _met;
    private readonly ObjectFileWriter _writer;

    public TryDeleteTests()
    {
        _met = new MeetingFiles(_files);
        _writer = new ObjectFileWriter(_met, () => ".tmp");
        Put(Expected);
    }

    [Fact]
    public void WhatWasDeletedDoesNotComeBack()
    {
        Assert.True(_writer.TryDelete(Name, Expected));
        _files.Crash(random: null);
        Assert.Null(_files.Read("a/b"));
    }

    /// <summary>Whoever deleted it may not have come so far as to sync it, and the caller relies on it.</summary>
    [Fact]
    public void WhatAnotherHasJustDeletedDoesNotComeBack()
    {
        _files.Delete("a/b");
        Assert.True(_writer.TryDelete(Name, Expected));
        _files.Crash(random: null);
        Assert.Null(_files.Read("a/b"));
    }

    [Fact]
    public void WhatHasOtherBytesIsNotTouched()
    {
        Put(Other);
        _met.TakingAway = () => Assert.Fail("It must not lose its name for a moment.");
        Assert.False(_writer.TryDelete(Name, Expected));
        Assert.Equal(Other, _files.Read("a/b"));
    }

    [Fact]
    public void WhatCameAfterTheComparisonGetsItsNameBack()
    {
        _met.TakingAway = () => Put(Other);
        Assert.False(_writer.TryDelete(Name, Expected));
        _files.Crash(random: null);
        Assert.Equal(Other, _files.Read("a/b"));
    }

    [Fact]
    public void WhatIsNewerStillStandsAndLeavesNoFileOfTheOther()
    {
        byte[] newest = [8];
        string? away = null;
        _met.TakingAway = () => Put(Other);
        _met.TakenAway = path =>
        {
            away = path;
            Put(newest);
        };
        Assert.False(_writer.TryDelete(Name, Expected));
        Assert.Equal(newest, _files.Read("a/b"));
        Assert.Null(_files.Read(away!));
    }

    [Fact]
    public void WhatCannotBeComparedGetsItsNameBack()
    {
        _met.TakenAway = path => _met.Unreadable = path;
        Assert.Throws<PosixException>(() => _writer.TryDelete(Name, Expected));
        Assert.Equal(Expected, _files.Read("a/b"));
    }

    [Fact]
    public void WhatGoesAwayByItselfIsDeleted()
    {
        _met.TakingAway = () => _files.Delete("a/b");
        Assert.True(_writer.TryDelete(Name, Expected));
    }

    [Fact]
    public void AFullDiskHasRoomForIt()
    {
        var writer = new ObjectFileWriter(_met, () => throw new PosixException("create", ".tmp", Errno.NoSpace));
        Assert.True(writer.TryDelete(Name, Expected));
        Assert.Null(_files.Read("a/b"));
    }

    [Fact]
    public void ACrashAtAnyStepLeavesTheWholeObjectOrNone()
    {
        for (var (step, isOver) = (0, false); !isOver; step++)
        {
            Put(Expected);
            _files.StepsToCrash = step;
            try
            {
                Assert.True(_writer.TryDelete(Name, Expected));
                isOver = true;
            }
            catch (SimulatedCrashException)
            {
                isOver = false;
            }

            _files.StepsToCrash = int.MaxValue;
            _files.Crash(random: null);
            Assert.True(_files.Read("a/b") is not { } left || left.AsSpan().SequenceEqual(Expected), $"step {step}");
        }
    }

    private void Put(byte[] content)
    {
        var writer = new ObjectFileWriter(_files, () => ".tmp/other");
        _files.TryCreateDirectory(".tmp/other");
        writer.Publish(new() { [Name] = writer.Stage(content) }, new HashSet<ObjectName>());
    }

    /// <summary>Steps between which others come.</summary>
    private sealed class MeetingFiles(IObjectFiles files) : IObjectFiles
    {
        public Action? TakingAway { get; set; }

        public Action<string>? TakenAway { get; set; }

        public string? Unreadable { get; set; }

        public IStagedFile Write(string path, ReadOnlyMemory<byte> content) => files.Write(path, content);

        public IStagedFile? TryOverwrite(string path, ReadOnlyMemory<byte> content) => files.TryOverwrite(path, content);

        public bool Exists(string path) => files.Exists(path);

        public void SyncFiles(IReadOnlyCollection<IStagedFile> staged) => files.SyncFiles(staged);

        public void Rename(string source, string target) => files.Rename(source, target);

        public bool TryRenameNew(string source, string target) => files.TryRenameNew(source, target);

        public string? TakeAway(string path, string temporary)
        {
            TakingAway?.Invoke();
            var away = files.TakeAway(path, temporary);
            if (away is not null)
            {
                TakenAway?.Invoke(away);
            }

            return away;
        }

        public bool Holds(string path, ReadOnlyMemory<byte> content) =>
            path == Unreadable ? throw new PosixException("read", path, Errno.Io) : files.Holds(path, content);

        public bool TryCreateDirectory(string path) => files.TryCreateDirectory(path);

        public void SyncDirectories(IReadOnlyCollection<string> paths) => files.SyncDirectories(paths);

        public bool Delete(string path) => files.Delete(path);
    }
}
