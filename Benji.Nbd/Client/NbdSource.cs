using Benji.Store.Model;
using Benji.Store.Sources;

namespace Benji.Nbd.Client;

#pragma warning disable CA2000 // The one that is returned owns the connection.

/// <summary>An export as what a backup reads; holes that its server tells of are not read.</summary>
internal sealed class NbdSource : ISource
{
    private readonly NbdClient _client;
    private readonly DataMap _data;

    private NbdSource(string description, NbdClient client, DataMap data, DataMap? changes)
    {
        Description = description;
        _client = client;
        _data = data;
        Hints = changes is null ? null : ToHints(changes, data);
    }

    /// <inheritdoc/>
    public string Description { get; }

    /// <inheritdoc/>
    public long Size => _client.Size;

    /// <inheritdoc/>
    public HintMap? Hints { get; }

    /// <summary>Connects and asks where data is.</summary>
    /// <exception cref="NotFoundException">The server has no such export.</exception>
    /// <exception cref="StorageException">The server cannot be reached, or refused.</exception>
    public static NbdSource Open(NbdAddress address, TimeProvider time)
    {
        DataMap? data = null;
        DataMap? changes = null;
        var name = Names.Show(address.Text);
        string[] contexts = address.Changes is { } context ? [DataMap.Context, context] : [DataMap.Context];
        var client = NbdClient.Open(address, contexts, time, (stream, export) =>
        {
            if (export.Info.ExportSize > BlockGeometry.SizeMax)
            {
                throw new UsageException(
                    $"{name} has {export.Info.ExportSize} bytes; a version has at most {BlockGeometry.SizeMax}.");
            }

            data = DataMap.Read(stream, export);
            changes = address.Changes is null ? null : DataMap.ReadChanges(stream, export, address.Changes);
        });
        return new NbdSource(name, client, data!, changes);
    }

    /// <inheritdoc/>
    public ValueTask ReadAsync(long offset, Memory<byte> destination, CancellationToken cancellationToken) =>
        _client.ReadAsync(offset, destination, cancellationToken);

    /// <inheritdoc/>
    public Extent? FindData(long offset) => _data.Find(offset);

    /// <summary>Nothing to do: the server's caches are its own.</summary>
    public void Release(long offset, long length)
    {
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _client.DisposeAsync();

    // What has changed is read where data is, and known to be zeros elsewhere.
    private static HintMap ToHints(DataMap changes, DataMap data)
    {
        var builder = new HintMapBuilder();
        foreach (var run in changes.Runs)
        {
            builder.Add(run with { Kind = ExtentKind.Hole });
            for (var found = data.Find(run.Offset); found is { } part && part.Offset < run.End; found = data.Find(part.End))
            {
                builder.Add(part with { Length = Math.Min(part.End, run.End) - part.Offset });
            }
        }

        return builder.Build();
    }
}
