using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Benji.Mount.Kernel.Wire;

namespace Benji.Tests.Mount;

/// <summary>Writes requests as the kernel does.</summary>
internal static class FuseRequest
{
    private static ulong _unique = 2;

    /// <summary>The bytes of a structure.</summary>
    public static byte[] Of<T>(T value)
        where T : unmanaged => MemoryMarshal.AsBytes(new ReadOnlySpan<T>(in value)).ToArray();

    /// <summary>The bytes of a request with a number of its own.</summary>
    public static byte[] Bytes(Opcode opcode, ulong node, params byte[][] body) =>
        Numbered(Interlocked.Add(ref _unique, 2), opcode, node, body);

    /// <summary>The bytes of a request.</summary>
    public static byte[] Numbered(ulong unique, Opcode opcode, ulong node, params byte[][] body)
    {
        var rest = body.SelectMany(part => part).ToArray();
        var header = new RequestHeader
        {
            Length = (uint)(Unsafe.SizeOf<RequestHeader>() + rest.Length),
            Opcode = opcode,
            Unique = unique,
            Node = node,
        };
        return [.. Of(header), .. rest];
    }
}
