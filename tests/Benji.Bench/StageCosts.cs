using System.Globalization;
using Benji.Store.Model;
using Benji.Store.Sources;
using Benji.Store.Transforms.Hashing;

namespace Benji.Bench;

/// <summary>Measures what the stages of an unchanged backup cost at least: read every block with data, look for zeros,
/// hash. One thread, one buffer, nothing else.</summary>
internal static class StageCosts
{
    private const int Rounds = 5;

    /// <summary>Prints how many frames are hashed side by side on this processor.</summary>
    public static void PrintLanes()
    {
        using var hasher = new FrameHasher(new byte[Hash256.Size]);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $$"""{"lanes": {{(int)hasher.Width}}}"""));
    }

    /// <summary>Prints the least CPU seconds of each stage for a whole image.</summary>
    public static async Task PrintAsync(string path)
    {
        await using var source = new SourceOpener(IoOptions.Default).OpenSource(path);
        using var hasher = new FrameHasher(new byte[Hash256.Size]);
        var read = await LeastAsync(source, static _ => { });
        var zero = await LeastAsync(source, static block => FrameHasher.IsZero(block));
        var hashes = new byte[BlockGeometry.FrameCount(BlockGeometry.BlockSizeDefault) * Hash256.Size];
        var whole = await LeastAsync(source, block =>
            hasher.HashFrames(block, hashes.AsSpan(0, BlockGeometry.FrameCount(block.Length) * Hash256.Size)));
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $$"""{"read": {{read:F4}}, "zero_test": {{zero - read:F4}}, "bound": {{whole:F4}}}"""));
    }

    private delegate void Stage(ReadOnlySpan<byte> block);

    private static async Task<double> LeastAsync(ISource source, Stage stage)
    {
        var least = double.MaxValue;
        for (var round = 0; round < Rounds; round++)
        {
            var before = Environment.CpuUsage.TotalTime;
            await PassAsync(source, stage);
            least = Math.Min(least, (Environment.CpuUsage.TotalTime - before).TotalSeconds);
        }

        return least;
    }

    // The blocks that have any data, at their places, as a backup cuts them.
    private static async Task PassAsync(ISource source, Stage stage)
    {
        var geometry = new BlockGeometry(source.Size, BlockGeometry.BlockSizeDefault);
        using var buffer = new BlockBufferPool(0).Rent(geometry.BlockSize);
        var next = 0L;
        for (var data = source.FindData(0); data is { } run; data = source.FindData(next * geometry.BlockSize))
        {
            var blockIndex = Math.Max(next, run.Offset / geometry.BlockSize);
            var block = buffer.Memory[..geometry.BlockLength(blockIndex)];
            await source.ReadAsync(blockIndex * geometry.BlockSize, block, CancellationToken.None);
            stage(block.Span);
            next = blockIndex + 1;
            if (next == geometry.BlockCount)
            {
                break;
            }
        }
    }
}
