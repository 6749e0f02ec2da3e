using System.Diagnostics.CodeAnalysis;
using Benji.Store.Model;
using Benji.Store.Posix;

namespace Benji.Store.Images.Versions.Frames;

/// <summary>The frames of all open images that were read last, a bounded number of them.</summary>
/// <remarks><para>Safe for concurrent calls. Finding a frame allocates nothing. Memory is taken when it is first needed and
/// kept; frames that readers hold on to beyond the bound live outside of it until they are released.</para>
/// <para>Cut into shards with a lock each, so that readers seldom meet. Each goes round its frames and takes the first that
/// was not used since it last came by (the CLOCK algorithm).</para></remarks>
internal sealed class FrameCache : IDisposable
{
    private const int ShardBits = 4;
    private const int FramesPerSlab = HugePages.Size / BlockGeometry.FrameSize;

    private readonly Shard[] _shards = new Shard[1 << ShardBits];

    /// <summary>Creates a cache of at most <paramref name="bytesMax"/> bytes; it holds at least one frame a shard.</summary>
    public FrameCache(long bytesMax)
    {
        var framesMax = Math.Clamp(bytesMax / BlockGeometry.FrameSize / _shards.Length, 1, int.MaxValue / 2);
        BytesMax = framesMax * _shards.Length * BlockGeometry.FrameSize;
        for (var i = 0; i < _shards.Length; i++)
        {
            _shards[i] = new Shard((int)framesMax);
        }
    }

    /// <summary>Bytes it may hold.</summary>
    public long BytesMax { get; }

    /// <summary>Bytes of memory taken so far.</summary>
    public long BytesUsed => _shards.Sum(shard => (long)shard.Count) * BlockGeometry.FrameSize;

    /// <summary>Finds a frame and pins it; the caller releases it.</summary>
    public bool TryPin(FrameKey key, [NotNullWhen(true)] out CachedFrame? frame) => ShardOf(key).TryPin(key, out frame);

    /// <summary>True when the frame is there at this moment.</summary>
    public bool Contains(FrameKey key) => ShardOf(key).Contains(key);

    /// <summary>Keeps a verified frame and pins it; the caller releases it.</summary>
    /// <param name="key">The frame; what is there under it already stays.</param>
    /// <param name="plaintext">At most <see cref="BlockGeometry.FrameSize"/> bytes; copied.</param>
    public CachedFrame Put(FrameKey key, ReadOnlySpan<byte> plaintext) => ShardOf(key).Put(key, plaintext);

    private Shard ShardOf(FrameKey key) => _shards[unchecked((uint)key.GetHashCode()) >> (32 - ShardBits)];

    /// <summary>Gives the memory back; nobody reads from it any more.</summary>
    public void Dispose()
    {
        foreach (var shard in _shards)
        {
            shard.Dispose();
        }
    }

    private sealed class Shard(int framesMax) : IDisposable
    {
        private readonly Lock _framesLock = new();
        private readonly Dictionary<FrameKey, CachedFrame> _byKey = [];
        private readonly List<CachedFrame> _frames = [];
        private readonly List<FrameSlab> _slabs = [];
        private int _hand;

        public int Count
        {
            get
            {
                lock (_framesLock)
                {
                    return _frames.Count;
                }
            }
        }

        public bool TryPin(FrameKey key, [NotNullWhen(true)] out CachedFrame? frame)
        {
            lock (_framesLock)
            {
                if (!_byKey.TryGetValue(key, out frame))
                {
                    return false;
                }

                frame.Pin();
                frame.IsRecent = true;
                return true;
            }
        }

        public bool Contains(FrameKey key)
        {
            lock (_framesLock)
            {
                return _byKey.ContainsKey(key);
            }
        }

        public CachedFrame Put(FrameKey key, ReadOnlySpan<byte> plaintext)
        {
            lock (_framesLock)
            {
                if (_byKey.TryGetValue(key, out var frame))
                {
                    frame.Pin();
                    return frame;
                }

                frame = Take();
                if (frame is null)
                {
                    // All are being read: this one lives for its readers alone.
                    frame = new CachedFrame(GC.AllocateUninitializedArray<byte>(plaintext.Length, pinned: true));
                    frame.Fill(key, plaintext);
                    frame.Pin();
                    return frame;
                }

                // Not recent yet: what is read once only goes before what is read again.
                frame.Fill(key, plaintext);
                frame.Pin();
                _byKey.Add(key, frame);
                return frame;
            }
        }

        public void Dispose()
        {
            foreach (IDisposable slab in _slabs)
            {
                slab.Dispose();
            }
        }

        // Slabs are made of whole frames, so that the one at hand is used up when the count comes round.
        private Memory<byte> TakeRoom()
        {
            var length = Math.Min(FramesPerSlab, framesMax);
            var position = _frames.Count % length;
            if (position == 0)
            {
                _slabs.Add(new FrameSlab(length * BlockGeometry.FrameSize));
            }

            return _slabs[^1].Memory.Slice(position * BlockGeometry.FrameSize, BlockGeometry.FrameSize);
        }

        private CachedFrame? Take()
        {
            if (_frames.Count < framesMax)
            {
                var frame = new CachedFrame(TakeRoom());
                _frames.Add(frame);
                return frame;
            }

            // Two rounds: the first may only take the marks away.
            for (var step = 0; step < 2 * _frames.Count; step++)
            {
                _hand = (_hand + 1) % _frames.Count;
                var frame = _frames[_hand];
                if (frame.IsPinned)
                {
                    continue;
                }

                if (frame.IsRecent)
                {
                    frame.IsRecent = false;
                    continue;
                }

                _byKey.Remove(frame.Key);
                return frame;
            }

            return null;
        }
    }
}
