namespace Benji.Nbd.Protocol;

/// <summary>The data of EXPORT_NAME: the name of an export and nothing else. proto.md, "NBD_OPT_EXPORT_NAME".</summary>
internal static class OptionText
{
    /// <summary>Reads it.</summary>
    /// <exception cref="NbdProtocolException">It is too long, or not UTF-8.</exception>
    public static string Parse(ReadOnlySpan<byte> bytes) => new FieldReader(bytes, "The name of an export").TakeRest();
}
