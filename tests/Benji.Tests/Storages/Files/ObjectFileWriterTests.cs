using Benji.Store.Posix;
using Benji.Store.Storages;
using Benji.Store.Storages.Files;
using Benji.Testing;
using Benji.Testing.Storages;
using Xunit;

namespace Benji.Tests.Storages.Files;

/// <summary>Stops a simulated machine at every kind of point of puts, creates and deletes, and looks at what is left.</summary>
public sealed class ObjectFileWriterTests
{
    private const int Runs = 400;

    [Fact]
    public void ACrashLeavesWholeObjectsAndEveryCommittedOne() => Seeded.Run(random =>
    {
        for (var i = 0; i < Runs; i++)
        {
            var seed = random.Next();
            Assert.Equal((seed, null), (seed, Faults(seed, SimulatedLie.None)));
        }
    });

    [Theory]
    [InlineData(nameof(SimulatedLie.FilesAreNotSynced), "holds bytes that were never put")]
    [InlineData(nameof(SimulatedLie.DirectoriesAreNotSynced), "is missing")]
    [InlineData(nameof(SimulatedLie.DirectoriesInDirectoriesAreNotSynced), "is missing")]
    public void AFileSystemThatDoesNotSyncIsNoticed(string lie, string expected) => Seeded.Run(random =>
    {
        var faults = Enumerable.Range(0, Runs).Select(_ => Faults(random.Next(), Enum.Parse<SimulatedLie>(lie)));
        Assert.Contains(faults, fault => fault?.Contains(expected, StringComparison.Ordinal) == true);
    });

    [Fact]
    public void AFailedCreateLeavesNothingButWhatWasThere()
    {
        // Write, sync, create the directory, rename, sync the directory and its parent.
        const int CreateSteps = 6;
        const int RenameStep = 3;
        for (var step = 0; step <= CreateSteps; step++)
        {
            var files = new SimulatedFileSystem(SimulatedLie.None, ".tmp");
            var writer = new ObjectFileWriter(files, () => ".tmp");
            files.StepsToFailure = step;
            var name = new ObjectName("a/b");
            var failure = Record.Exception(() => writer.TryCreate(name, new byte[100]));
            if (failure is null)
            {
                Assert.Equal(CreateSteps, step);
                return;
            }

            Assert.IsType<PosixException>(failure);
            Assert.Null(files.Read(".tmp/1"));
            Assert.Equal(step <= RenameStep ? null : 100, files.Read("a/b")?.Length);
        }

        Assert.Fail("More steps than expected");
    }

    // Two writers, as of two processes, work in turn until the machine stops; several times. Returns the first fault.
    private static string? Faults(int seed, SimulatedLie lie)
    {
        var random = new Random(seed);
        var files = new SimulatedFileSystem(lie, ".tmp", ".tmp/0", ".tmp/1");
        var model = new CrashModel(random);
        for (var round = 0; round < 3; round++)
        {
            var writers = Enumerable.Range(0, 2)
                .Select(i => new ObjectFileWriter(files, () => Temporary(files, round, i))).ToArray();
            files.StepsToCrash = random.Next(120);
            files.StepsToFailure = random.Next(240);
            try
            {
                while (true)
                {
                    model.Step(writers[random.Next(2)]);
                }
            }
            catch (SimulatedCrashException)
            {
                files.Crash(random);
            }

            if (model.Check(files) is { } fault)
            {
                return fault;
            }
        }

        return null;
    }

    private static string Temporary(SimulatedFileSystem files, int round, int writer)
    {
        var path = $".tmp/{writer}/{round}";
        files.TryCreateDirectory(path);
        return path;
    }

    /// <summary>What may stand under each name after a crash: what was last promised, and what was begun since.</summary>
    private sealed class CrashModel(Random random)
    {
        private static readonly ObjectName[] Names =
        [
            new("store.json"), new("blocks/ab/cd/1"), new("blocks/ab/cd/2"), new("blocks/ab/ef/3"),
            new("blocks/cd/ab/4"), new("pages/ab/cd/5"), new("versions/v/6"),
        ];

        private readonly Dictionary<ObjectName, List<byte[]?>> _possible =
            Names.ToDictionary(name => name, _ => new List<byte[]?> { null });

        private readonly Dictionary<ObjectName, List<byte[]?>> _ever =
            Names.ToDictionary(name => name, _ => new List<byte[]?>());

        public void Step(ObjectFileWriter writer)
        {
            var names = Names.Where(_ => random.Next(3) == 0).ToArray();
            try
            {
                switch (random.Next(4))
                {
                    case 0:
                        Begin(names, _ => null);
                        writer.Delete(names);
                        End(names);
                        break;
                    case 1:
                        Create(writer, Names[random.Next(Names.Length)]);
                        break;
                    default:
                        PutAll(writer, names);
                        break;
                }
            }
            catch (PosixException failure) when (failure.Errno == Errno.NoSpace)
            {
                // The call promised nothing, and the names may hold either.
            }
        }

        public string? Check(SimulatedFileSystem files)
        {
            foreach (var (name, possible) in _possible)
            {
                var found = files.Read($"{name}");
                if (!possible.Any(content => AreEqual(content, found)))
                {
                    return found is null ? $"{name} is missing"
                        : _ever[name].Any(content => AreEqual(content, found)) ? $"{name} holds an object that was replaced"
                        : $"{name} holds bytes that were never put";
                }

                possible.Clear();
                possible.Add(found);
            }

            return null;
        }

        private static bool AreEqual(byte[]? left, byte[]? right) =>
            left is null ? right is null : right is not null && left.AsSpan().SequenceEqual(right);

        private void Create(ObjectFileWriter writer, ObjectName name)
        {
            var content = NewContent();
            Begin([name], _ => content);
            if (writer.TryCreate(name, content))
            {
                End([name]);
            }
            else
            {
                // What is in the way stays, and since the call returned it is durable; which of the earlier it is shows later.
                _possible[name].Remove(content);
                _possible[name].RemoveAll(found => found is null);
            }
        }

        private void PutAll(ObjectFileWriter writer, ObjectName[] names)
        {
            var staged = new Dictionary<ObjectName, IStagedFile>();
            try
            {
                var contents = names.ToDictionary(name => name, _ => NewContent());
                foreach (var name in names)
                {
                    staged.Add(name, writer.Stage(contents[name]));
                }

                Begin(names, name => contents[name]);
                writer.Publish(staged, new HashSet<ObjectName>());
                End(names);
            }
            finally
            {
                foreach (var file in staged.Values)
                {
                    Abandon(writer, file);
                }
            }
        }

        private static void Abandon(ObjectFileWriter writer, IStagedFile file)
        {
            try
            {
                writer.Abandon(file);
            }
            catch (SimulatedCrashException)
            {
                // The machine stands still; the crash is already on its way up.
            }
        }

        private void Begin(ObjectName[] names, Func<ObjectName, byte[]?> content)
        {
            foreach (var name in names)
            {
                _possible[name].Add(content(name));
                _ever[name].Add(content(name));
            }
        }

        // The call came back: only what it did is possible now.
        private void End(ObjectName[] names)
        {
            foreach (var name in names)
            {
                _possible[name].RemoveRange(0, _possible[name].Count - 1);
            }
        }

        private byte[] NewContent()
        {
            var content = new byte[random.Next(1, 4000)];
            random.NextBytes(content);
            return content;
        }
    }
}
