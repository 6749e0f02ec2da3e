using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;

namespace Benji.Mount.Kernel.Wire;

/// <summary>Takes a request apart: fixed structures first, then names and bytes.</summary>
/// <remarks>Every length is checked before a byte is looked at.</remarks>
internal ref struct RequestBody(ReadOnlySpan<byte> bytes)
{
    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private ReadOnlySpan<byte> _rest = bytes;

    /// <summary>What has not been taken yet.</summary>
    public readonly ReadOnlySpan<byte> Rest => _rest;

    /// <summary>Splits a request into its head and its body.</summary>
    /// <exception cref="FuseProtocolException">It is shorter than it says, or than a head.</exception>
    public static RequestHeader Split(ReadOnlySpan<byte> request, out RequestBody body)
    {
        var rest = new RequestBody(request);
        var header = rest.Take<RequestHeader>();
        var extensions = 8L * header.ExtensionUnits;
        if (header.Length != request.Length || extensions > rest._rest.Length)
        {
            throw new FuseProtocolException(
                $"A request of {request.Length} bytes says that it has {header.Length}, {extensions} of them extensions.");
        }

        body = new RequestBody(rest._rest[..^(int)extensions]);
        return header;
    }

    /// <summary>Takes a structure.</summary>
    /// <exception cref="FuseProtocolException">There are too few bytes.</exception>
    public T Take<T>()
        where T : unmanaged
    {
        var size = Unsafe.SizeOf<T>();
        if (_rest.Length < size)
        {
            throw new FuseProtocolException($"A request ends after {_rest.Length} of the {size} bytes of {typeof(T).Name}.");
        }

        var value = MemoryMarshal.Read<T>(_rest);
        _rest = _rest[size..];
        return value;
    }

    /// <summary>Takes a structure of which older kernels send only the beginning; the rest of it is zeros.</summary>
    /// <exception cref="FuseProtocolException">There are fewer than <paramref name="sizeMin"/> bytes.</exception>
    public T TakeGrown<T>(int sizeMin)
        where T : unmanaged
    {
        if (_rest.Length < sizeMin)
        {
            throw new FuseProtocolException($"A request ends after {_rest.Length} bytes of {typeof(T).Name}.");
        }

        var value = default(T);
        var size = Math.Min(Unsafe.SizeOf<T>(), _rest.Length);
        _rest[..size].CopyTo(MemoryMarshal.AsBytes(new Span<T>(ref value)));
        _rest = _rest[size..];
        return value;
    }

    /// <summary>Takes the bytes of a name and the zero behind it.</summary>
    /// <exception cref="FuseProtocolException">There is no zero.</exception>
    public ReadOnlySpan<byte> TakeName()
    {
        var length = _rest.IndexOf((byte)0);
        if (length < 0)
        {
            throw new FuseProtocolException($"A name of {_rest.Length} bytes has no end.");
        }

        var name = _rest[..length];
        _rest = _rest[(length + 1)..];
        return name;
    }

    /// <summary>Returns the text of a name; null when it is not UTF-8, as no name of ours is.</summary>
    public static string? Text(ReadOnlySpan<byte> name)
    {
        try
        {
            return Strict.GetString(name);
        }
        catch (DecoderFallbackException)
        {
            return null;
        }
    }
}
