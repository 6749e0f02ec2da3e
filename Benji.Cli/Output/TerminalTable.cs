using Spectre.Console;

namespace Benji.Cli.Output;

/// <summary>Draws rows as a table that fits the terminal.</summary>
internal static class TerminalTable
{
    /// <summary>The most rows it draws: laying out more costs noticeable time, and nobody reads them as a table.</summary>
    public const int RowsMax = 500;

    /// <summary>Draws a heading and the rows; every row has the heading's number of cells.</summary>
    public static void Write(TextWriter output, string[] headings, IReadOnlyList<string[]> rows, bool hasColor)
    {
        var console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Out = new AnsiConsoleOutput(output),
            ColorSystem = hasColor ? ColorSystemSupport.Detect : ColorSystemSupport.NoColors,
        });
        var table = new Table().Border(TableBorder.Rounded);
        foreach (var heading in headings)
        {
            var column = new TableColumn(Markup.Escape(heading.Replace('_', ' ')));
            table.AddColumn(VersionTable.IsRightAligned(heading) ? column.RightAligned().NoWrap() : column);
        }

        foreach (var row in rows)
        {
            table.AddRow(Array.ConvertAll(row, cell => Text(cell, hasColor)));
        }

        console.Write(table);
    }

    private static Markup Text(string cell, bool hasColor) => hasColor && cell == "invalid"
        ? new Markup("[red]invalid[/]")
        : new Markup(Markup.Escape(cell));
}
