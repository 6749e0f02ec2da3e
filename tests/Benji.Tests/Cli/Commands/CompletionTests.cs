using Benji.Cli.Commands;
using Benji.Cli.Completion;
using Xunit;

namespace Benji.Tests.Cli.Commands;

public class CompletionTests
{
    private static readonly CompletionWords Words = CompletionWords.Collect(
        new GlobalOptions().All, CommandTree.Entries.Select(entry => entry.Create().Syntax));

    public static TheoryData<string> Scripts =>
        new(BashCompletion.Script(Words), ZshCompletion.Script(Words), FishCompletion.Script(Words));

    [Theory]
    [MemberData(nameof(Scripts), DisableDiscoveryEnumeration = true)]
    public void EveryCommandAndOptionIsCompleted(string script)
    {
        foreach (var command in Words.Commands)
        {
            Assert.Contains(command.Name, script, StringComparison.Ordinal);
            foreach (var name in command.Options.Concat(Words.GlobalOptions).SelectMany(option => option.Names))
            {
                Assert.Contains(name.TrimStart('-'), script, StringComparison.Ordinal);
            }
        }
    }

    [Fact]
    public void PlacesSayWhatStandsThere()
    {
        Assert.Equal([WordKind.File, WordKind.Volume], PlacesOf("backup"));
        Assert.Equal([WordKind.Version, WordKind.File], PlacesOf("restore"));
        Assert.Equal([WordKind.Version], PlacesOf("rm"));
        Assert.Equal([WordKind.New, WordKind.File], PlacesOf("key"));
        Assert.Equal([WordKind.OverlayVerb, WordKind.Image, WordKind.Any], PlacesOf("overlay"));
        Assert.Equal([WordKind.Overlay], PlacesOf("promote"));
        Assert.Equal([WordKind.Shell], PlacesOf("completion"));
        Assert.Empty(PlacesOf("cleanup"));
    }

    [Fact]
    public void TheWordsBehindACommandAreItsNestedCommands() => Assert.All(
        CommandTree.Entries.Select(entry => entry.Create().Syntax).Where(syntax => syntax.Subcommands.Count > 0),
        syntax => Assert.Equal(
            string.Join(' ', syntax.Subcommands.Select(nested => nested.Name)),
            CompletionWords.Fixed(PlacesOf(syntax.Name)[0])));

    [Fact]
    public void OnlyOptionsWithAValueTakeOne()
    {
        var backup = Words.Commands.Single(command => command.Name == "backup");
        Assert.Equal(WordKind.File, backup.Options.Single(option => option.Names[0] == "--rbd-hints").Value);
        Assert.Equal(WordKind.Version, backup.Options.Single(option => option.Names[0] == "--base-version").Value);
        Assert.Null(Words.GlobalOptions.Single(option => option.Names[0] == "--no-color").Value);
        Assert.Equal(WordKind.Level, Words.GlobalOptions.Single(option => option.Names[0] == "--log-level").Value);
    }

    [Fact]
    public void TheNamesInTheTreeAreTheCommandsOwn() =>
        Assert.Equal(
            CommandTree.Entries.Select(entry => (entry.Name, entry.Description)),
            CommandTree.Entries.Select(entry => entry.Create().Syntax)
                .Select(syntax => (syntax.Name, syntax.Description ?? "")));

    [Fact]
    public void EveryGlobalOptionWithAValueIsKnownToTheSearchForTheCommand() =>
        Assert.All(
            Words.GlobalOptions.SelectMany(option => option.Names.Select(name => (name, option.Value))),
            option => Assert.Equal(option.Value is not null, GlobalOptions.TakesValue(option.name)));

    private static IReadOnlyList<WordKind> PlacesOf(string command) =>
        Words.Commands.Single(known => known.Name == command).Places;
}
