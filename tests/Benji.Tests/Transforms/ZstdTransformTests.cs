using Benji.Store.Transforms;
using Benji.Store.Transforms.Zstd;
using Xunit;

namespace Benji.Tests.Transforms;

/// <summary>The transform over the managed port.</summary>
public sealed class ManagedZstdTransformTests() : ZstdTransformContract(mayBeNative: false);

/// <summary>The transform over the system's library, which every Debian has.</summary>
public sealed class NativeZstdTransformTests() : ZstdTransformContract(mayBeNative: true)
{
    [Fact]
    public void TheSystemsLibraryIsThere() => Assert.True(NativeZstd.IsAvailable);

    [Fact]
    public void EachImplementationReadsTheOther()
    {
        using var native = new ZstdTransform(1, mayBeNative: true);
        using var managed = new ZstdTransform(1, mayBeNative: false);
        var plain = new byte[60_000];
        plain.AsSpan(100, 30_000).Fill(7);
        var encoded = new byte[plain.Length];
        foreach (var (writer, reader) in new[] { (native, managed), (managed, native) })
        {
            var length = writer.Encode(default, plain, encoded);
            var decoded = new byte[plain.Length];
            reader.Decode(default, encoded.AsSpan(0, length), decoded);
            Assert.Equal(plain, decoded);
        }
    }
}
