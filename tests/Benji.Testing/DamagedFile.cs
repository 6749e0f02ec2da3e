namespace Benji.Testing;

/// <summary>Damages files as a disk does: one bit, in place.</summary>
internal static class DamagedFile
{
    /// <summary>Flips the lowest bit of the byte that stands so many bytes before the end.</summary>
    public static void Flip(string path, int fromEnd)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.ReadWrite);
        file.Seek(-fromEnd, SeekOrigin.End);
        var value = file.ReadByte();
        file.Seek(-fromEnd, SeekOrigin.End);
        file.WriteByte((byte)(value ^ 1));
    }
}
