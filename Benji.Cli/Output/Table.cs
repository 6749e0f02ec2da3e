using Benji.Cli.Streams;

namespace Benji.Cli.Output;

/// <summary>Rows under headings, shown as the room allows: all columns where nobody watches, as many as fit a terminal.</summary>
/// <param name="Headings">The headings.</param>
/// <param name="Rows">The cells; every row has as many as there are headings, and none is empty.</param>
/// <param name="LeavesOut">The headings that a narrow terminal does without, the first one first.</param>
internal sealed record Table(string[] Headings, IReadOnlyList<string[]> Rows, string[] LeavesOut)
{
    /// <summary>Writes the rows. No cell is ever broken or cut: its text can be copied.</summary>
    public void Write(StandardOutput output, bool hasColor)
    {
        if (!output.IsTerminal)
        {
            PlainTable.Write(output.Writer, Headings, Rows);
            return;
        }

        var width = output.Width;
        var table = this;
        foreach (var heading in LeavesOut)
        {
            if (table.TryWrite(output, width, hasColor))
            {
                return;
            }

            table = table.Without(heading);
        }

        if (!table.TryWrite(output, width, hasColor))
        {
            PlainTable.Write(output.Writer, table.Headings, table.Rows);
        }
    }

    private bool TryWrite(StandardOutput output, int width, bool hasColor)
    {
        if (TerminalTable.Fits(Headings, Rows, width))
        {
            TerminalTable.Write(output.Writer, Headings, Rows, width, hasColor, output.HasUnicode);
            return true;
        }

        if (PlainTable.Fits(Headings, Rows, width))
        {
            PlainTable.Write(output.Writer, Headings, Rows);
            return true;
        }

        return false;
    }

    private Table Without(string heading)
    {
        var column = Array.IndexOf(Headings, heading);
        return column < 0
            ? this
            : this with { Headings = Cut(Headings, column), Rows = [.. Rows.Select(row => Cut(row, column))] };
    }

    private static string[] Cut(string[] cells, int column) => [.. cells[..column], .. cells[(column + 1)..]];
}
