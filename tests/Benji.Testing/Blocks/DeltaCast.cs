using Benji.Store.Blocks;
using Benji.Store.Model;

namespace Benji.Testing.Blocks;

/// <summary>Contents of four frames that share some, by letters: <c>"abcd"</c> and <c>"abce"</c> share three.</summary>
internal static class DeltaCast
{
    /// <summary>Frames of each.</summary>
    public const int Frames = 4;

    /// <summary>Bytes of each: the last frame is short.</summary>
    public const int Length = ((Frames - 1) * BlockGeometry.FrameSize) + 77;

    /// <summary>The content of four letters; a full stop is a frame of zeros.</summary>
    public static byte[] Of(string letters)
    {
        Invariant.Holds(letters.Length == Frames);
        var content = new byte[Length];
        for (var frame = 0; frame < Frames; frame++)
        {
            if (letters[frame] != '.')
            {
                new Random(letters[frame]).NextBytes(
                    content.AsSpan(frame * BlockGeometry.FrameSize, BlockGeometry.FrameLength(Length, frame)));
            }
        }

        return content;
    }

    /// <summary>What a backup is given of a content over another: it was read whole and can be read again.</summary>
    public static BlockInput Input(string letters, BlockId over = default)
    {
        var content = Of(letters);
        return WriterBench.Whole(content) with
        {
            BaseId = over,
            BaseLength = over.IsHole ? 0 : Length,
            Filler = new CountingFiller(content),
        };
    }
}
