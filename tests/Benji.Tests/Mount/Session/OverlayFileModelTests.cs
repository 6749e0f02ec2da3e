using Benji.Mount.Kernel;
using Benji.Mount.Kernel.Wire;
using Benji.Store;
using Benji.Store.Images;
using Benji.Testing;
using Benji.Testing.Serving;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Benji.Tests.Mount.Session;

/// <summary>Random calls on the file of an overlay of a real store, also by another process and over remounts, against bytes
/// in memory: what is read, the size, the blocks and the times.</summary>
public sealed class OverlayFileModelTests : IAsyncLifetime
{
    private const int Unit = 4096;
    private const int Size = (100 * Unit) - 700;
    private const int Steps = 250;
    private const uint ReadWrite = 2;
    private const uint Create = 0x40;
    private const uint Exclusive = 0x80;
    private const uint Truncate = 0x200;
    private const string Name = "v1@fix.img";
    private const string FilePath = "disk/" + Name;

    private readonly StoreFixture _store = new();
    private readonly byte[] _base = new byte[Size];
    private BenjiStore _other = null!;
    private ServedImages _served = null!;
    private ulong _directory;
    private ulong _version;
    private ulong _node;
    private int _openings;
    private byte[]? _model;
    private DateTimeOffset _changed;

    private static CancellationToken None => CancellationToken.None;

    public async Task InitializeAsync()
    {
        new Random(5).NextBytes(_base);
        _base.AsSpan(Size / 2).Clear();
        _store.Images.Set("disk", [.. _base]);
        await _store.BackupAsync("disk", request => request with { Version = "v1" });
        _other = await BenjiStore.OpenAsync(_store.Options, StoreUse.Change, NullLoggerFactory.Instance, _store.Clock);
        await MountAsync();
    }

    public async Task DisposeAsync()
    {
        await _served.DisposeAsync();
        await _other.DisposeAsync();
        await _store.DisposeAsync();
    }

    [Fact]
    public Task AnOverlayIsAFileThatKeepsItsSize() => Seeded.RunAsync(async random =>
    {
        for (var step = 0; step < Steps; step++)
        {
            _store.Clock.Advance(TimeSpan.FromMicroseconds(random.Next(1, 5_000_000)));
            await StepAsync(random);
            await CheckAsync(random);
        }
    });

    private Task StepAsync(Random random) => (_model, _openings, random.Next(20)) switch
    {
        (null, _, _) => CreateAsync(random.Next(4) switch { 0 => 0, 1 => Truncate, 2 => Exclusive, _ => Exclusive | Truncate }),
        (_, 0, < 4) => WriteElsewhereAsync(random),
        (_, 0, 4) => RemountAsync(),
        (_, 0, 5) => RemoveAsync(),
        (_, 0, _) or (_, < 4, 0) => OpenAsync(random.Next(8) == 0 ? Truncate | ReadWrite : ReadWrite),
        (_, _, 1) => CreateAsync(random.Next(3) == 0 ? Exclusive : random.Next(6) == 0 ? Truncate : 0),
        (_, _, < 5) => ReleaseAsync(),
        (_, _, < 10) => WriteAsync(random),
        (_, _, < 13) => ZeroAsync(random),
        (_, _, 13) => CutAsync(random),
        (_, _, 14) => RevertAsync(random),
        (_, _, 15) => KeepAsync(),
        _ => SyncAsync(),
    };

    private async Task CheckAsync(Random random)
    {
        var entry = await _served.FindAsync(FilePath);
        if (_model is null)
        {
            Assert.Equal(0UL, entry.Node);
            return;
        }

        Assert.Equal((ulong)Size, entry.Attributes.Size);
        Assert.InRange(entry.Attributes.Blocks, 0UL, (Size + 511UL) / 512);
        Assert.True(entry.Attributes.Blocks > 0 || !_model.AsSpan().ContainsAnyExcept((byte)0), "no blocks, but data");
        Assert.Equal(_changed, TimeOf(entry.Attributes.ModifyTime, entry.Attributes.ModifyNanoseconds));
        Assert.Equal(_changed, TimeOf(entry.Attributes.ChangeTime, entry.Attributes.ChangeNanoseconds));
        if (_openings > 0)
        {
            var (offset, length) = Range(random);
            var (error, bytes) = await _served.ReadAsync(_node, offset, length);
            Assert.Equal(Errno.None, error);
            Assert.True(bytes.AsSpan().SequenceEqual(_model.AsSpan(offset, length)), $"{offset}+{length} differs");
        }
    }

    private async Task CreateAsync(uint flags)
    {
        var (error, body) = await _served.Channel.AskAsync(FuseRequest.Bytes(
            Opcode.Create, _directory, FuseRequest.Of(new CreateRequest { Flags = ReadWrite | Create | flags }), ServedImages.Name(Name)));
        if (_model is not null && (flags & Exclusive) != 0)
        {
            Assert.Equal(Errno.Exists, error);
            return;
        }

        Assert.Equal(Errno.None, error);
        _openings++;
        _node = BitConverter.ToUInt64(body);
        if ((flags & (Truncate | Exclusive)) != 0)
        {
            _model = new byte[Size];
            _changed = _store.Clock.GetUtcNow();
        }
        else if (_model is null)
        {
            _model = [.. _base];
            _changed = _store.Clock.GetUtcNow();
        }
    }

    private async Task OpenAsync(uint flags)
    {
        _node = await _served.OpenAsync(FilePath, flags);
        _openings++;
        if ((flags & Truncate) != 0)
        {
            Change(0, Size, bytes => bytes.Clear());
        }
    }

    private async Task ReleaseAsync()
    {
        Assert.Equal(Errno.None, await _served.ErrorAsync(Opcode.Release, _node, new byte[24]));
        _openings--;
    }

    private async Task WriteAsync(Random random)
    {
        var (offset, length) = Range(random);
        var data = random.Next(3) == 0 ? new byte[length + 10] : Noise(random, length + 10);
        var wanted = offset + length == Size ? length + 10 : length;
        var reply = await _served.AskAsync<WriteReply>(
            Opcode.Write, _node, ServedImages.Transfer(offset, wanted), data[..wanted]);
        Assert.Equal((uint)length, reply.Size);
        Change(offset, length, bytes => data.AsSpan(0, length).CopyTo(bytes));
    }

    private async Task ZeroAsync(Random random)
    {
        var (offset, length) = random.Next(5) == 0 ? (0, Size) : Range(random);
        var request = new AllocateRequest
        {
            Offset = (ulong)offset,
            Length = (ulong)length,
            Mode = random.Next(2) == 0 ? 3U : 16,
        };
        Assert.Equal(Errno.None, await _served.ErrorAsync(Opcode.Allocate, _node, FuseRequest.Of(request)));
        Change(offset, length, bytes => bytes.Clear());
    }

    // A file that keeps its size is not cut by SETATTR either, unless to what it has.
    private async Task CutAsync(Random random)
    {
        var size = random.Next(2) == 0 ? Size : random.Next(Size);
        var request = new SetAttributesRequest { Valid = AttributeFlags.Size, Size = (ulong)size };
        var error = await _served.ErrorAsync(Opcode.SetAttributes, _node, FuseRequest.Of(request));
        Assert.Equal(size == Size ? Errno.None : Errno.NotPermitted, error);
    }

    private async Task RevertAsync(Random random)
    {
        var first = random.Next(Size / Unit);
        var copied = await _served.AskAsync<CopyReply64>(Opcode.CopyRange64, _version, FuseRequest.Of(new CopyRangeRequest
        {
            SourceOffset = (ulong)(first * Unit),
            TargetNode = _node,
            TargetOffset = (ulong)(first * Unit),
            Length = (ulong)(random.Next(1, 20) * Unit),
        }));
        Change(first * Unit, (int)copied.Size, bytes => _base.AsSpan(first * Unit, bytes.Length).CopyTo(bytes));
    }

    private async Task KeepAsync()
    {
        var request = new SetAttributesRequest
        {
            Valid = AttributeFlags.Mode | AttributeFlags.Uid | AttributeFlags.Gid | (AttributeFlags)0x20, // FATTR_MTIME
            Mode = 0x8000 | 0x180,
            ModifyTime = 1,
        };
        Assert.Equal(Errno.None, await _served.ErrorAsync(Opcode.SetAttributes, _node, FuseRequest.Of(request)));
    }

    private async Task SyncAsync() => Assert.Equal(Errno.None, await _served.ErrorAsync(Opcode.Sync, _node, new byte[16]));

    private async Task RemoveAsync()
    {
        Assert.Equal(Errno.None, await _served.ErrorAsync(Opcode.Unlink, _directory, ServedImages.Name(Name)));
        _model = null;
    }

    private async Task WriteElsewhereAsync(Random random)
    {
        var images = _other.OpenImages();
        var entry = await images.FindAsync("disk/v1@fix", None);
        await using var image = await OpenWhenClosedAsync(images, entry!);
        var (offset, length) = Range(random);
        if (random.Next(2) == 0)
        {
            await image.ZeroAsync(offset, length, mayFreeSpace: true, None);
            Change(offset, length, bytes => bytes.Clear());
        }
        else
        {
            var data = Noise(random, length);
            await image.WriteAsync(offset, data, None);
            Change(offset, length, bytes => data.CopyTo(bytes));
        }

        Assert.Equal(_changed, image.LastChange);
        var whole = await image.ReadAllAsync();
        Assert.True(whole.AsSpan().SequenceEqual(_model), "the other process sees other bytes");
    }

    // The mount closes an overlay after its client has gone on.
    private static async Task<IWritableImage> OpenWhenClosedAsync(IImageDirectory images, ImageEntry entry)
    {
        while (true)
        {
            try
            {
                return await images.OpenOverlayAsync(entry, None);
            }
            catch (Benji.Store.Model.InUseException)
            {
                await Task.Delay(5);
            }
        }
    }

    private async Task RemountAsync()
    {
        await _served.DisposeAsync();
        await MountAsync();
    }

    private async Task MountAsync()
    {
        _served = await ServedImages.StartAsync((await _store.StoreAsync()).OpenImages());
        _directory = (await _served.FindAsync("disk")).Node;
        _version = (await _served.FindAsync("disk/v1.img")).Node;
    }

    private void Change(int offset, int length, SpanWork work)
    {
        work(_model.AsSpan(offset, length));
        _changed = _store.Clock.GetUtcNow();
    }

    private static DateTimeOffset TimeOf(long seconds, uint nanoseconds) =>
        DateTimeOffset.FromUnixTimeSeconds(seconds).AddTicks(nanoseconds / 100);

    private static (int Offset, int Length) Range(Random random)
    {
        var offset = random.Next(Size);
        var length = random.Next(1, Math.Min(Size - offset, random.Next(3) == 0 ? Size : 3 * Unit) + 1);
        return random.Next(3) > 0 ? (offset, length) : (offset / Unit * Unit, Math.Min(Size - (offset / Unit * Unit), 5 * Unit));
    }

    private static byte[] Noise(Random random, int length)
    {
        var bytes = new byte[length];
        random.NextBytes(bytes);
        return bytes;
    }

    private delegate void SpanWork(Span<byte> bytes);
}
