using Benji.Store.Model;

namespace Benji.Testing.Images;

/// <summary>Disks of frames that are noise, zeros, or zeros but for a byte, as a seed has it.</summary>
public static class FramePattern
{
    private const int Frame = BlockGeometry.FrameSize;

    /// <summary>Makes a disk.</summary>
    public static byte[] Make(Random random, int length)
    {
        var content = new byte[length];
        for (var offset = 0; offset < length; offset += Frame)
        {
            Fill(random, content.AsSpan(offset, Math.Min(Frame, length - offset)));
        }

        return content;
    }

    /// <summary>Changes some frames of a disk, whole stretches at times.</summary>
    public static byte[] Change(Random random, byte[] content)
    {
        var changed = content.ToArray();
        for (var i = 0; i < 6; i++)
        {
            var first = random.Next((content.Length + Frame - 1) / Frame);
            var count = random.Next(1, 6);
            for (var offset = first * Frame; offset < Math.Min(content.Length, (first + count) * Frame); offset += Frame)
            {
                Fill(random, changed.AsSpan(offset, Math.Min(Frame, content.Length - offset)));
            }
        }

        return changed;
    }

    /// <summary>True when a frame has a byte that is not zero.</summary>
    public static bool HasData(byte[] content, long offset) =>
        FrameAt(content, offset).ContainsAnyExcept((byte)0);

    /// <summary>The frame that a byte lies in.</summary>
    public static ReadOnlySpan<byte> FrameAt(byte[] content, long offset)
    {
        var start = (int)(offset / Frame * Frame);
        return start >= content.Length ? [] : content.AsSpan(start, Math.Min(Frame, content.Length - start));
    }

    private static void Fill(Random random, Span<byte> frame)
    {
        switch (random.Next(4))
        {
            case 0:
                frame.Clear();
                break;
            case 1:
                frame.Clear();
                frame[random.Next(frame.Length)] = 1;
                break;
            default:
                random.NextBytes(frame);
                break;
        }
    }
}
