using Benji.Store.Catalogs;
using Benji.Store.Images.Overlays.Files;
using Benji.Store.Model;

namespace Benji.Store.Operations.Overlays;

/// <summary>Makes the row of an overlay again from the header of its file.</summary>
internal static class OverlayAdoption
{
    private const int IdDigits = 8;

    /// <summary>Adds the row when the overlay's base is there as the header describes it; when its name is taken, it gets
    /// its id behind it.</summary>
    /// <param name="transaction">A transaction that writes.</param>
    /// <param name="header">The header.</param>
    /// <param name="storeId">The id of the store that holds the base.</param>
    /// <returns>The row, or null when there is no such base.</returns>
    public static OverlayRecord? TryAdd(ICatalogTransaction transaction, OverlayHeader header, Guid storeId)
    {
        if (transaction.Versions.Find(header.BaseId) is not { } version
            || storeId != header.StoreId
            || version.Root != header.BaseRoot
            || version.Size != header.Size
            || version.BlockSize != header.BlockSize)
        {
            return null;
        }

        var name = header.Name;
        if (transaction.Overlays.Find(version.Id, name) is not null)
        {
            var suffix = $"-{header.Id:N}"[..(IdDigits + 1)];
            name = name[..Math.Min(name.Length, Names.PartLengthMax - suffix.Length)] + suffix;
        }

        var row = new OverlayRecord(header.Id, name, version.Id, version.Name, header.Created);
        transaction.Overlays.Add(row);
        return row;
    }
}
