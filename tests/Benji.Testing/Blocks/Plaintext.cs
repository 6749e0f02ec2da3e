using Benji.Store.Model;

namespace Benji.Testing.Blocks;

/// <summary>Makes plaintext whose frames are of a known sort.</summary>
internal static class Plaintext
{
    /// <summary>Frames that take turns: text, noise, zeros.</summary>
    public static byte[] Mixed(Random random, int length)
    {
        var bytes = new byte[length];
        for (var frame = 0; frame < BlockGeometry.FrameCount(length); frame++)
        {
            var content = bytes.AsSpan(
                frame * BlockGeometry.FrameSize, BlockGeometry.FrameLength(length, frame));
            switch (frame % 3)
            {
                case 0:
                    Text(random, content);
                    break;
                case 1:
                    random.NextBytes(content);
                    break;
                default:
                    break;
            }
        }

        return bytes;
    }

    /// <summary>Noise, which no transform makes smaller.</summary>
    public static byte[] Noise(Random random, int length)
    {
        var bytes = new byte[length];
        random.NextBytes(bytes);
        return bytes;
    }

    private static void Text(Random random, Span<byte> content)
    {
        for (var i = 0; i < content.Length; i++)
        {
            content[i] = (byte)('a' + (i % 17) + random.Next(2));
        }
    }
}
