using Benji.Store.Model;
using Benji.Store.Sources;

namespace Benji.Nbd.Client;

#pragma warning disable CA2000 // The one that is returned owns the connection.

/// <summary>An export as what a backup reads; holes that its server tells of are not read.</summary>
internal sealed class NbdSource : ISource
{
    private readonly NbdClient _client;
    private readonly DataMap _data;

    private NbdSource(string description, NbdClient client, DataMap data)
    {
        Description = description;
        _client = client;
        _data = data;
    }

    /// <inheritdoc/>
    public string Description { get; }

    /// <inheritdoc/>
    public long Size => _client.Size;

    /// <summary>Connects and asks where data is.</summary>
    /// <exception cref="NotFoundException">The server has no such export.</exception>
    /// <exception cref="StorageException">The server cannot be reached, or refused.</exception>
    public static NbdSource Open(NbdAddress address, TimeProvider time)
    {
        DataMap? data = null;
        var client = NbdClient.Open(
            address,
            [DataMap.Context],
            time,
            (stream, export) => data = DataMap.Read(stream, export));
        return new NbdSource(Names.Show(address.Text), client, data!);
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
}
