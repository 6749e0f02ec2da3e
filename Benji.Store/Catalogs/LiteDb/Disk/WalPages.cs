using Benji.Store.Posix;

namespace Benji.Store.Catalogs.LiteDb.Disk;

/// <summary>What is done with the pages of a log as a whole.</summary>
internal static class WalPages
{
    /// <summary>Writes the last group again and makes the log durable.</summary>
    /// <param name="log">The log.</param>
    /// <param name="start">Where the last group starts.</param>
    /// <param name="end">Where it ends; 0 when there is none.</param>
    /// <exception cref="IOException">The log cannot be read, written or synced.</exception>
    public static void Repair(ICatalogFile log, long start, long end)
    {
        if (end > 0)
        {
            var group = new byte[end - start];
            WalReader.ReadExactly(log, start, group);
            log.Write(start, group);
        }

        log.Sync();
    }

    /// <summary>Copies the pages to where they belong, durable, as far as the disk has room for new ones.</summary>
    /// <param name="log">The log, which stays as it is.</param>
    /// <param name="data">The data file.</param>
    /// <param name="logged">Where each page belongs, and where it is in the log.</param>
    /// <param name="reserve">Lends what new pages take, if it has that much: it comes back when the log is cut.</param>
    /// <returns>False when the data file finds no room to grow.</returns>
    /// <exception cref="IOException">Some of them are not copied.</exception>
    public static bool TryCopy(
        ICatalogFile log, ICatalogFile data, IReadOnlyDictionary<long, long> logged, CatalogReserve reserve)
    {
        var page = new byte[WalGroup.PageSize];
        var before = data.Length;
        reserve.IsOpen = logged.Keys.Max() + page.Length - before <= reserve.Kept;
        try
        {
            foreach (var (position, offset) in logged.OrderBy(entry => entry.Key))
            {
                WalReader.ReadExactly(log, offset, page);
                data.Write(position, page);
            }

            data.Sync();
            return true;
        }
        catch (PosixException failure) when (failure.LacksRoom)
        {
            // What does not fit as a whole takes no room from the commits: the log has it.
            data.Truncate(before);
            return false;
        }
        finally
        {
            reserve.IsOpen = false;
        }
    }
}
