using Benji.Store.Blocks.Sealing;
using Benji.Store.Model;
using Benji.Store.Storages;
using Benji.Testing;
using Benji.Testing.Blocks;
using Xunit;

namespace Benji.Tests.Blocks;

/// <summary>Whatever happens to the objects of a delta family: what is not listed as damaged is right, and nothing but
/// the reader's own exceptions comes out.</summary>
public class BlockStoreFuzzTests
{
    private const int Frame = BlockGeometry.FrameSize;
    private const int Length = (4 * Frame) + 50;
    private const int Rounds = 400;

    [Theory]
    [InlineData(true, 1)]
    [InlineData(false, 1)]
    [InlineData(false, null)]
    public Task DamagedObjectsGiveDamagedFrames(bool isEncrypted, int? zstdLevel) => Seeded.RunAsync(async random =>
    {
        await using var bench = await StoreBench.OpenAsync(isEncrypted, zstdLevel);
        var (id, plaintext) = await PutFamilyAsync(bench, random);
        var names = bench.Memory.Names.Where(name => name != ObjectNames.StoreFile).ToArray();
        var sound = names.ToDictionary(name => name, name => bench.Memory[name]!);
        for (var round = 0; round < Rounds; round++)
        {
            bench.Restart();
            foreach (var name in names.Where(_ => random.Next(2) == 0))
            {
                bench.Memory.Damage(name, bytes => Damage(random, bytes, sound));
            }

            var (bytes, damages) = await bench.ReadBlockAsync(id, Length);

            var damaged = damages.Select(damage => damage.FrameIndex).ToHashSet();
            for (var frame = 0; frame < BlockGeometry.FrameCount(Length); frame++)
            {
                var range = (frame * Frame)..Math.Min(Length, (frame + 1) * Frame);
                Assert.Equal(damaged.Contains(frame) ? new byte[range.End.Value - range.Start.Value] : plaintext[range], bytes[range]);
                var failure = await Record.ExceptionAsync(() => bench.ReadFramesAsync(id, Length, frame, 1));
                Assert.Equal(damaged.Contains(frame), failure is not null);
                Assert.True(failure is null or CorruptDataException, failure?.ToString());
            }

            foreach (var (name, original) in sound)
            {
                await bench.Memory.PutAsync(name, original, CancellationToken.None);
            }
        }
    });

    private static byte[] Damage(Random random, byte[] bytes, Dictionary<ObjectName, byte[]> sound)
    {
        var header = Math.Min(bytes.Length, 400);
        switch (random.Next(6))
        {
            case 0:
                return bytes[..random.Next(bytes.Length)];
            case 1:
                return [.. bytes, .. new byte[random.Next(1, 5000)]];
            case 2:
                return sound.Values.ElementAt(random.Next(sound.Count));
            case 3:
                return Plaintext.Noise(random, random.Next(1000));
            case 4:
                bytes[random.Next(header)] ^= (byte)random.Next(1, 256);
                return bytes;
            default:
                bytes[random.Next(bytes.Length)] ^= (byte)random.Next(1, 256);
                return bytes;
        }
    }

    /// <summary>Frame 0 own, 1 of the first lender, 2 and 3 holes, 4 of the second lender, which is a delta itself.</summary>
    private static async Task<(BlockId Id, byte[] Plaintext)> PutFamilyAsync(StoreBench bench, Random random)
    {
        var first = Plaintext.Mixed(random, Length);
        var firstId = await bench.PutAsync(first);
        var second = first.AsSpan().ToArray();
        random.NextBytes(second.AsSpan(4 * Frame));
        var secondId = await bench.PutAsync(
            second, [firstId], frame => frame == 4 ? SealPlan.Own : (byte)0);
        var plaintext = Plaintext.Noise(random, Length);
        first.AsSpan(Frame, Frame).CopyTo(plaintext.AsSpan(Frame));
        plaintext.AsSpan(2 * Frame, 2 * Frame).Clear();
        second.AsSpan(4 * Frame).CopyTo(plaintext.AsSpan(4 * Frame));
        var id = await bench.PutAsync(plaintext, [firstId, secondId], frame => frame switch
        {
            1 => 0,
            4 => 1,
            _ => SealPlan.Own,
        });
        return (id, plaintext);
    }
}
