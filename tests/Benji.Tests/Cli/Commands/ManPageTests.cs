using System.CommandLine;
using Benji.Cli.Commands;
using Benji.Testing;
using Xunit;

namespace Benji.Tests.Cli.Commands;

/// <summary>Holds docs/man true: one page for each command, with every argument and option.</summary>
public class ManPageTests
{
    private static readonly string[] Sections =
        [".SH NAME", ".SH SYNOPSIS", ".SH DESCRIPTION", ".SH OPTIONS", ".SH EXAMPLES", ".SH EXIT CODES", ".SH SEE ALSO"];

    public static TheoryData<string> Pages => [.. CommandTree.Entries.Select(entry => $"benji-{entry.Name}"), "benji"];

    [Theory]
    [MemberData(nameof(Pages))]
    public void APageHasEverySection(string page)
    {
        var text = Read(page);
        Assert.All(Sections, section => Assert.Contains($"\n{section}\n", text, StringComparison.Ordinal));
        Assert.StartsWith($".TH {page.ToUpperInvariant()} 1 ", text, StringComparison.Ordinal);
    }

    [Fact]
    public void APageDocumentsEveryOptionAndArgumentOfItsCommand()
    {
        foreach (var entry in CommandTree.Entries)
        {
            var text = Read($"benji-{entry.Name}");
            var syntax = entry.Create().Syntax;
            Assert.All(
                OptionsOf(syntax),
                option => Assert.All(
                    option.Aliases.Append(option.Name),
                    name => Assert.Contains(Bold(name), text, StringComparison.Ordinal)));
            Assert.All(
                syntax.Arguments.Concat(syntax.Subcommands.SelectMany(nested => nested.Arguments)),
                argument => Assert.Contains($"\n\\fI{argument.Name}\\fR\n", text, StringComparison.Ordinal));
        }
    }

    [Fact]
    public void APageDocumentsNoOptionThatDoesNotExist()
    {
        foreach (var entry in CommandTree.Entries)
        {
            var known = OptionsOf(entry.Create().Syntax)
                .SelectMany(option => option.Aliases.Append(option.Name)).Select(Bold).ToHashSet();
            var documented = OptionLines(Read($"benji-{entry.Name}"))
                .SelectMany(line => line.Split(", "))
                .Select(name => name.Split(' ')[0]);
            Assert.DoesNotContain(documented, name => !known.Contains(name));
        }
    }

    [Fact]
    public void TheFirstPageDocumentsTheGlobalOptionsAndNamesEveryCommand()
    {
        var text = Read("benji");
        Assert.All(
            new GlobalOptions().All.SelectMany(option => option.Aliases.Append(option.Name)),
            name => Assert.Contains(Bold(name), text, StringComparison.Ordinal));
        Assert.All(
            CommandTree.Entries,
            entry => Assert.Contains(
                $".BR benji\\-{entry.Name.Replace("-", "\\-", StringComparison.Ordinal)} (1)",
                text,
                StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("0")]
    [InlineData("64")]
    [InlineData("65")]
    [InlineData("66")]
    [InlineData("70")]
    [InlineData("73")]
    [InlineData("74")]
    [InlineData("75")]
    [InlineData("77")]
    [InlineData("78")]
    [InlineData("130")]
    public void TheFirstPageDocumentsEveryExitCode(string code) =>
        Assert.Contains($"\n\\fB{code}\\fR\n", Read("benji"), StringComparison.Ordinal);

    private static IEnumerable<Option> OptionsOf(Command syntax) =>
        syntax.Options.Concat(syntax.Subcommands.SelectMany(nested => nested.Options));

    private static string Bold(string name) => $"\\fB{name.Replace("-", "\\-", StringComparison.Ordinal)}\\fR";

    // The lines that follow .TP in the section of the options.
    private static IEnumerable<string> OptionLines(string text)
    {
        var section = text.Split("\n.SH OPTIONS\n")[1].Split("\n.SH ")[0].Split('\n');
        return section.Zip(section.Skip(1)).Where(pair => pair.First == ".TP").Select(pair => pair.Second);
    }

    private static string Read(string page) => File.ReadAllText(Repository.PathOf("docs", "man", $"{page}.1"));
}
