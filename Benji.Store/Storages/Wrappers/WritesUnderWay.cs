using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace Benji.Store.Storages.Wrappers;

/// <summary>What is being written under each name at this moment, so that writers of one name know each other.</summary>
/// <remarks>Safe for concurrent calls. A name is forgotten with its last writer.</remarks>
internal sealed class WritesUnderWay
{
    private readonly Lock _namesLock = new();
    private readonly Dictionary<ObjectName, Writers> _names = [];

    /// <summary>Says that a write of some content begins; <see cref="End"/> says that it has been checked.</summary>
    public WrittenContent Begin(ObjectName name, ReadOnlySpan<byte> content)
    {
        var written = new WrittenContent(name, content.Length, Convert.ToHexString(SHA256.HashData(content)));
        lock (_namesLock)
        {
            ref var writers = ref CollectionsMarshal.GetValueRefOrAddDefault(_names, name, out _);
            writers ??= new Writers();
            writers.Count++;
            writers.Contents.Add(written);
        }

        return written;
    }

    /// <summary>Says that a write is over, whether it succeeded or not.</summary>
    public void End(WrittenContent written)
    {
        lock (_namesLock)
        {
            if (--_names[written.Name].Count == 0)
            {
                _names.Remove(written.Name);
            }
        }
    }

    /// <summary>True when the content is that of a write which was under way together with the others of its name.</summary>
    public bool IsExpected(WrittenContent found)
    {
        lock (_namesLock)
        {
            return _names[found.Name].Contents.Contains(found);
        }
    }

    /// <summary>True when nobody else writes the name: what is read then is what stays.</summary>
    public bool IsOnlyWriter(ObjectName name)
    {
        lock (_namesLock)
        {
            return _names[name].Count == 1;
        }
    }

    private sealed class Writers
    {
        public int Count { get; set; }

        public HashSet<WrittenContent> Contents { get; } = [];
    }
}

/// <summary>The content of one object, known by its hash.</summary>
/// <param name="Name">The object.</param>
/// <param name="Length">Bytes.</param>
/// <param name="Sha256">Its hash in hexadecimal.</param>
internal sealed record WrittenContent(ObjectName Name, long Length, string Sha256);
