using System.Text;
using Spectre.Console;

namespace Benji.Cli.Output;

/// <summary>Draws rows as a table that fits the terminal.</summary>
internal static class TerminalTable
{
    /// <summary>The most rows it draws: laying out more costs noticeable time, and nobody reads them as a table.</summary>
    private const int RowsMax = 500;

    /// <summary>True when a table of these rows fits <paramref name="width"/> columns without breaking a cell, whose text
    /// could then not be copied.</summary>
    public static bool Fits(string[] headings, IReadOnlyList<string[]> rows, int width)
    {
        if (rows.Count > RowsMax)
        {
            return false;
        }

        // A line and a blank on both sides of every cell, and the last line.
        var needed = (3 * headings.Length) + 1;
        for (var column = 0; column < headings.Length; column++)
        {
            var widest = headings[column].Length;
            foreach (var row in rows)
            {
                widest = Math.Max(widest, row[column].Length);
            }

            needed += widest;
        }

        return needed <= width;
    }

    /// <summary>Draws a heading and the rows; every row has the heading's number of cells.</summary>
    /// <param name="output">Where to draw.</param>
    /// <param name="headings">The headings.</param>
    /// <param name="rows">The cells of each row.</param>
    /// <param name="width">Columns of the terminal.</param>
    /// <param name="hasColor">True to colour what is invalid.</param>
    /// <param name="hasUnicode">True to draw lines; false for what ASCII has.</param>
    public static void Write(
        TextWriter output, string[] headings, IReadOnlyList<string[]> rows, int width, bool hasColor, bool hasUnicode)
    {
        // Everything is said, so that nothing is found out by switching the terminal's modes.
        var console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Out = new Place(output, width),
            Ansi = hasColor ? AnsiSupport.Yes : AnsiSupport.No,
            ColorSystem = hasColor ? ColorSystemSupport.Standard : ColorSystemSupport.NoColors,
            Interactive = InteractionSupport.No,
        });
        console.Profile.Capabilities.Unicode = hasUnicode;
        var table = new Spectre.Console.Table().Border(hasUnicode ? TableBorder.Rounded : TableBorder.Ascii);
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

    /// <summary>The terminal as the table needs it, known without asking the console.</summary>
    private sealed class Place(TextWriter writer, int width) : IAnsiConsoleOutput
    {
        public TextWriter Writer => writer;

        public bool IsTerminal => true;

        public int Width => width;

        public int Height => 24;

        public void SetEncoding(Encoding encoding)
        {
            // The writer has its own.
        }
    }
}
