namespace Benji.Store.Blocks.Reading;

/// <summary>The damaged frames of one block, each once, in the order of their index.</summary>
internal sealed class DamageList
{
    private readonly SortedList<int, FrameDamage> _damages = [];

    /// <summary>Damaged frames.</summary>
    public int Count => _damages.Count;

    /// <summary>The damaged frames by index.</summary>
    public IReadOnlyList<FrameDamage> Damages => [.. _damages.Values];

    /// <summary>Adds a frame; one that is there keeps its reason.</summary>
    public void Add(FrameDamage damage) => _damages.TryAdd(damage.FrameIndex, damage);

    /// <summary>True when the frame is damaged.</summary>
    public bool Contains(int frame) => _damages.ContainsKey(frame);

    /// <summary>Returns a frame's damage, or null.</summary>
    public FrameDamage? Find(int frame) => _damages.GetValueOrDefault(frame);
}
