using System.Runtime.InteropServices;
using Benji.Testing;
using Microsoft.Win32.SafeHandles;
using Xunit;
using static Benji.Interop.Mount.MountedImages;

namespace Benji.Interop.Mount;

/// <summary>Random calls on an overlay through the kernel, each compared with the same on bytes in memory.</summary>
public sealed partial class KernelModelTests : IAsyncLifetime
{
    private const int Size = (2 * 1024 * 1024) + 4096;
    private const int Sector = 4096;
    private const int Steps = 1500;

    private readonly MountedImages _mounted = new();
    private readonly byte[] _model = Content(Size, seed: 6);

    public async Task InitializeAsync()
    {
        _mounted.Images.Add("vm/one", _model.ToArray());
        await _mounted.InitializeAsync();
    }

    public Task DisposeAsync() => _mounted.DisposeAsync();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task EveryCallDoesWhatItDoesToBytes(bool isDirect)
    {
        await ShellAsync($"touch {_mounted["vm/one@model.img"]}");
        await Task.Factory.StartNew(
            () => Seeded.Run(random => Run(random, isDirect)),
            CancellationToken.None,
            TaskCreationOptions.LongRunning,
            TaskScheduler.Default);
        Assert.True(_mounted.Images.ContentOf("vm/one@model").AsSpan().SequenceEqual(_model));
        Assert.True(_mounted.Images.ContentOf("vm/one").AsSpan().SequenceEqual(Content(Size, seed: 6)));
    }

    private unsafe void Run(Random random, bool isDirect)
    {
        var file = Open(isDirect);
        var buffer = (byte*)NativeMemory.AlignedAlloc(256 * 1024, Sector);
        try
        {
            for (var step = 0; step < Steps; step++)
            {
                var (offset, length) = Range(random, isDirect);
                switch (random.Next(12))
                {
                    case < 4:
                        Assert.Equal(length, Read(file, buffer, (nuint)length, offset));
                        Assert.True(new Span<byte>(buffer, length).SequenceEqual(_model.AsSpan((int)offset, length)), $"step {step}");
                        break;
                    case < 8:
                        random.NextBytes(new Span<byte>(buffer, length));
                        Assert.Equal(length, Write(file, buffer, (nuint)length, offset));
                        new Span<byte>(buffer, length).CopyTo(_model.AsSpan((int)offset));
                        break;
                    case 8:
                        Assert.Equal(0, Allocate(file, mode: 3, offset, length));
                        _model.AsSpan((int)offset, length).Clear();
                        break;
                    case 9:
                        Assert.Equal(0, Allocate(file, mode: 16, offset, length));
                        _model.AsSpan((int)offset, length).Clear();
                        break;
                    case 10:
                        Assert.Equal(0, Truncate(file, Size));
                        Assert.Equal(0, Sync(file));
                        break;
                    default:
                        file.Dispose();
                        file = Open(isDirect);
                        break;
                }
            }
        }
        finally
        {
            file.Dispose();
            NativeMemory.AlignedFree(buffer);
        }
    }

    private static (long Offset, int Length) Range(Random random, bool isDirect)
    {
        var grain = isDirect ? Sector : 1;
        var length = (random.Next(random.Next(4) == 0 ? 256 * 1024 : 10_000) / grain * grain) + grain;
        length = Math.Min(length, 256 * 1024);
        var offset = random.Next((Size - length) + 1) / grain * grain;
        return (offset, length);
    }

    private SafeFileHandle Open(bool isDirect)
    {
        var direct = RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? 0x10000 : 0x4000;
        var file = OpenFile(_mounted["vm/one@model.img"], 2 | 0x80000 | (isDirect ? direct : 0));
        Assert.False(file.IsInvalid);
        return file;
    }

    [LibraryImport("libc", EntryPoint = "open", StringMarshalling = StringMarshalling.Utf8)]
    private static partial SafeFileHandle OpenFile(string path, int flags);

    [LibraryImport("libc", EntryPoint = "pread")]
    private static unsafe partial nint Read(SafeFileHandle file, byte* buffer, nuint length, long offset);

    [LibraryImport("libc", EntryPoint = "pwrite")]
    private static unsafe partial nint Write(SafeFileHandle file, byte* buffer, nuint length, long offset);

    [LibraryImport("libc", EntryPoint = "fallocate")]
    private static partial int Allocate(SafeFileHandle file, int mode, long offset, long length);

    [LibraryImport("libc", EntryPoint = "ftruncate")]
    private static partial int Truncate(SafeFileHandle file, long length);

    [LibraryImport("libc", EntryPoint = "fsync")]
    private static partial int Sync(SafeFileHandle file);
}
