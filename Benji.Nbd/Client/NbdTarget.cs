using Benji.Nbd.Protocol;
using Benji.Store.Model;
using Benji.Store.Sources;

namespace Benji.Nbd.Client;

#pragma warning disable CA2000 // The one that is returned owns the connection.

/// <summary>An export as what a restore writes; what its server knows to be zeros is not zeroed again.</summary>
internal sealed class NbdTarget : ITarget
{
    private static readonly ReadOnlyMemory<byte> Zeros = new byte[1024 * 1024];

    private readonly NbdClient _client;
    private readonly DataMap _before;

    private NbdTarget(string description, NbdClient client, DataMap before)
    {
        Description = description;
        _client = client;
        _before = before;
    }

    /// <inheritdoc/>
    public string Description { get; }

    /// <inheritdoc/>
    public bool IsZeroed => _before.Find(0) is null;

    /// <summary>Connects and asks what is zero already.</summary>
    /// <exception cref="NotFoundException">The server has no such export.</exception>
    /// <exception cref="UsageException">The export is too small.</exception>
    /// <exception cref="NotAllowedException">It is read-only.</exception>
    /// <exception cref="StorageException">The server cannot be reached, or refused.</exception>
    public static NbdTarget Open(NbdAddress address, long size, TimeProvider time)
    {
        var name = Names.Show(address.Text);
        DataMap? before = null;
        var client = NbdClient.Open(address, [DataMap.Context], time, (stream, export) =>
        {
            if (export.Info.ExportSize < size)
            {
                throw new UsageException($"{name} has {export.Info.ExportSize} bytes; {size} are needed.");
            }

            if (export.Can(TransmissionFlags.ReadOnly))
            {
                throw new NotAllowedException($"{name} is read-only: nothing can be restored to it.");
            }

            before = DataMap.Read(stream, export);
        });
        return new NbdTarget(name, client, before!);
    }

    /// <inheritdoc/>
    public ValueTask WriteAsync(long offset, ReadOnlyMemory<byte> content, CancellationToken cancellationToken) =>
        _client.WriteAsync(offset, content, cancellationToken);

    /// <inheritdoc/>
    public async ValueTask ZeroAsync(long offset, long length, CancellationToken cancellationToken)
    {
        var end = offset + length;
        while (_before.Find(offset) is { } data && data.Offset < end)
        {
            var start = Math.Max(offset, data.Offset);
            offset = Math.Min(end, data.End);
            await ZeroDataAsync(start, offset, cancellationToken);
        }
    }

    /// <inheritdoc/>
    public ValueTask FlushAsync(CancellationToken cancellationToken) => _client.FlushAsync(cancellationToken);

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _client.DisposeAsync();

    private async ValueTask ZeroDataAsync(long offset, long end, CancellationToken cancellationToken)
    {
        if (_client.Export.Can(TransmissionFlags.SendWriteZeroes))
        {
            await _client.ZeroAsync(offset, end - offset, mayFreeSpace: true, cancellationToken);
            return;
        }

        while (offset < end)
        {
            var part = Zeros[..(int)Math.Min(Zeros.Length, end - offset)];
            await _client.WriteAsync(offset, part, cancellationToken);
            offset += part.Length;
        }
    }
}
