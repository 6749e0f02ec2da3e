using Benji.Cli.Commands;
using Benji.Store.Model;
using Xunit;

namespace Benji.Tests.Cli.Commands;

/// <summary>Every command and option of the Python program is there, or is answered with what to use in its place.</summary>
public class OriginalWordsTests
{
    public static TheoryData<string, string[]> Original => new()
    {
        { "backup", ["-u", "--uid", "-s", "--snapshot", "-r", "--rbd-hints", "-f", "--base-version", "-b", "--block-size", "-l", "--label", "-S", "--storage"] },
        { "restore", ["-s", "--sparse", "-f", "--force", "-d", "--database-less", "-S", "--storage"] },
        { "ls", ["-l", "--include-labels", "-s", "--include-stats"] },
        { "rm", ["-f", "--force", "-k", "--keep-metadata-backup", "--override-lock"] },
        { "enforce", [] },
        { "cleanup", ["--override-lock"] },
        { "scrub", ["-p", "--block-percentage"] },
        { "deep-scrub", ["-p", "--block-percentage", "-s", "--source"] },
        { "batch-scrub", [] },
        { "batch-deep-scrub", [] },
        { "label", [] },
        { "protect", [] },
        { "unprotect", [] },
        { "metadata-export", [] },
        { "metadata-import", [] },
        { "metadata-backup", [] },
        { "metadata-restore", [] },
        { "metadata-ls", [] },
        { "database-init", [] },
        { "database-migrate", [] },
        { "nbd", ["-a", "--bind-address", "-p", "--bind-port", "-r", "--read-only", "-d", "--discard-changes"] },
        { "storage-stats", [] },
        { "storage-usage", [] },
        { "version-info", [] },
        { "completion", [] },
        { "rest-api", [] },
    };

    [Theory]
    [MemberData(nameof(Original))]
    public void EveryWordOfTheOriginalIsKnownOrAnswered(string command, string[] options)
    {
        if (CommandTree.Find(command) is not { } entry)
        {
            Assert.NotNull(OriginalWords.InsteadOf(command));
            var refused = Assert.Throws<UsageException>(() => new CommandLine([command]).Check());
            Assert.Contains(OriginalWords.InsteadOf(command)!, refused.Message, StringComparison.Ordinal);
            return;
        }

        var known = entry.Create().Syntax.Options.SelectMany(option => option.Aliases.Append(option.Name)).ToHashSet();
        Assert.All(options, option => Assert.True(
            known.Contains(option) != OriginalWords.InsteadOf(command, option) is not null,
            $"{command} {option} is neither known nor answered, or both."));
    }

    [Theory]
    [InlineData("there is no lock to override", "rm", "vm/a", "--override-lock")]
    [InlineData("'benji rebuild', then 'benji restore'", "restore", "-d", "vm/a", "disk.img")]
    [InlineData("copy the storage first", "rm", "-k", "vm/a")]
    public void AnOptionOfTheOriginalIsAnsweredWithWhatToUse(string answer, params string[] arguments)
    {
        var refused = Assert.Throws<UsageException>(() => new CommandLine(arguments).Check());
        Assert.Contains(answer, refused.Message, StringComparison.Ordinal);
    }
}
