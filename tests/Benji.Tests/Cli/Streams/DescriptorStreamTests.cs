using Benji.Cli.Streams;
using Benji.Testing;
using Microsoft.Win32.SafeHandles;
using Xunit;

namespace Benji.Tests.Cli.Streams;

public sealed class DescriptorStreamTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    [Fact]
    public void WhatIsWrittenIsInTheFileBehindWhatOthersWrote()
    {
        using var file = File.OpenHandle(_directory["out"], FileMode.Create, FileAccess.Write);
        using (var first = new DescriptorStream(Descriptor(file)))
        {
            first.Write("one "u8);
        }

        using (var second = new DescriptorStream(Descriptor(file)))
        {
            second.Write("two"u8);
            Assert.False(second.IsTerminal);
        }

        file.Dispose();
        Assert.Equal("one two", File.ReadAllText(_directory["out"]));
    }

    [Fact]
    public void ADescriptorThatCannotBeWrittenFails()
    {
        using var file = File.OpenHandle("/dev/null");
        using var stream = new DescriptorStream(Descriptor(file));
        Assert.Throws<IOException>(() => stream.Write("x"u8));
    }

    [Fact]
    public void AFullDeviceFails()
    {
        using var file = File.OpenHandle("/dev/full", FileMode.Open, FileAccess.Write);
        using var stream = new DescriptorStream(Descriptor(file));
        var failure = Assert.Throws<IOException>(() => stream.Write("x"u8));
        Assert.Contains("No space left", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void AReaderThatWentAwayIsNoFailure()
    {
        using var reader = new System.IO.Pipes.AnonymousPipeServerStream(System.IO.Pipes.PipeDirection.In);
        using var writer = new SafeFileHandle(reader.ClientSafePipeHandle.DangerousGetHandle(), ownsHandle: false);
        using var stream = new DescriptorStream(Descriptor(writer));
        stream.Write("x"u8);
        reader.ReadByte();
        reader.SafePipeHandle.Dispose();
        stream.Write("y"u8);
    }

    public void Dispose() => _directory.Dispose();

    private static int Descriptor(SafeFileHandle file) => checked((int)file.DangerousGetHandle());
}
