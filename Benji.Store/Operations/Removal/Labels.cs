using Benji.Store.Model;

namespace Benji.Store.Operations.Removal;

/// <summary>Sets and removes the labels of a version.</summary>
internal static class Labels
{
    /// <summary>Returns the changed version, or the same one when nothing changes.</summary>
    public static VersionRecord Change(
        VersionRecord version, IReadOnlyDictionary<string, string> set, IReadOnlyCollection<string> remove)
    {
        var labels = new SortedList<string, string>(version.Labels, StringComparer.Ordinal);
        foreach (var name in remove)
        {
            labels.Remove(name);
        }

        foreach (var (name, value) in set)
        {
            Names.CheckLabel(name, value);
            labels[name] = value;
        }

        return labels.SequenceEqual(version.Labels) ? version : version with { Labels = labels };
    }
}
