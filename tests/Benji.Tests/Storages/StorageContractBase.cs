using Benji.Store.Model;
using Benji.Store.Storages;
using Benji.Testing;
using Xunit;

namespace Benji.Tests.Storages;

/// <summary>The storage under a contract test, and the few calls that those tests share.</summary>
public abstract class StorageContractBase : IAsyncLifetime, IDisposable
{
    private readonly TemporaryDirectory _directory = new();
#pragma warning disable CA2213 // DisposeAsync disposes it, which xunit calls before Dispose.
    private IStorage? _storage;
#pragma warning restore CA2213 // The reason ends here.

    internal static CancellationToken None => CancellationToken.None;

    internal static BlockBufferPool Pool { get; } = new(idleBytesMax: 16 << 20);

    internal virtual TimeProvider Time => TimeProvider.System;

    internal IStorage Storage => _storage!;

    /// <summary>The directory of a storage that is made of files.</summary>
    internal string Root => _directory["storage"];

    internal TemporaryDirectory Scratch => _directory;

    public Task InitializeAsync()
    {
        _storage = CreateStorage();
        return Task.CompletedTask;
    }

    public async Task DisposeAsync() => await _storage!.DisposeAsync();

    public void Dispose()
    {
        Dispose(disposing: true);
        GC.SuppressFinalize(this);
    }

    protected virtual void Dispose(bool disposing) => _directory.Dispose();

    internal abstract IStorage CreateStorage();

    internal static ObjectName Name(string value) => new(value);

    internal static byte[] Bytes(int seed, int length)
    {
        var bytes = new byte[length];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }

    internal async Task PutAllAsync(params string[] names)
    {
        foreach (var name in names)
        {
            await Storage.PutAsync(Name(name), Bytes(name.Length, 10), None);
        }
    }

    internal async Task<byte[]> ReadAllAsync(ObjectName name, int? lengthMax = null)
    {
        var length = lengthMax ?? (int)(await Storage.FindAsync(name, None))!.Value.Size;
        var destination = new byte[length];
        return destination[..await Storage.ReadAsync(name, 0, destination, None)];
    }

    internal async Task<List<string>> ListAsync(string prefix)
    {
        var names = new List<string>();
        await foreach (var info in Storage.ListAsync(prefix, None))
        {
            names.Add(info.Name.Value);
        }

        names.Sort(StringComparer.Ordinal);
        return names;
    }

    /// <summary>Lists what is no object; directories end in a slash.</summary>
    internal async Task<List<string>> StrangersAsync(string prefix)
    {
        var names = new List<string>();
        await foreach (var found in Storage.ListStrangersAsync(prefix, None))
        {
            names.Add(found.Name.Value + (found.IsDirectory ? "/" : ""));
        }

        names.Sort(StringComparer.Ordinal);
        return names;
    }
}
