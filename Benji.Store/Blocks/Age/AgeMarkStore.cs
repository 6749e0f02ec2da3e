using System.Text;
using Benji.Store.Blocks.Sealing;
using Benji.Store.Model;

namespace Benji.Store.Blocks.Age;

/// <summary>The age marks of a store as objects: puts, looks up, lists and deletes them.</summary>
/// <remarks>Safe for concurrent calls. Format: docs/format.md, "Age".</remarks>
internal sealed class AgeMarkStore(OpenedStore store)
{
    // Nobody reads it: a mark says what it says by its name.
    private static readonly byte[] Content = Encoding.ASCII.GetBytes("benji age mark\n");

    /// <summary>Puts a mark; durable when it returns.</summary>
    /// <exception cref="StorageException">It could not be written.</exception>
    public Task PutAsync(AgeMark mark, CancellationToken cancellationToken) =>
        store.Storage.PutAsync(ObjectNames.AgeMark(mark), Content, cancellationToken);

    /// <summary>True when the storage holds the mark.</summary>
    /// <exception cref="StorageException">It could not be looked up.</exception>
    public async Task<bool> ExistsAsync(AgeMark mark, CancellationToken cancellationToken) =>
        await store.Storage.FindAsync(ObjectNames.AgeMark(mark), cancellationToken) is not null;

    /// <summary>Lists the marks; objects under other names are passed over.</summary>
    /// <exception cref="StorageException">They could not be listed.</exception>
    public async Task<HashSet<AgeMark>> ListAsync(CancellationToken cancellationToken)
    {
        var listed = new HashSet<AgeMark>();
        await foreach (var info in store.Storage.ListAsync(ObjectNames.AgeMarkPrefix, cancellationToken))
        {
            if (ObjectNames.TryParseAgeMark(info.Name, out var mark))
            {
                listed.Add(mark);
            }
        }

        return listed;
    }

    /// <summary>Deletes marks; missing ones count as deleted.</summary>
    /// <exception cref="StorageException">Some could not be deleted.</exception>
    public Task DeleteAsync(IReadOnlyCollection<AgeMark> marks, CancellationToken cancellationToken) =>
        marks.Count == 0
            ? Task.CompletedTask
            : store.Storage.DeleteAsync([.. marks.Select(ObjectNames.AgeMark)], cancellationToken);
}
