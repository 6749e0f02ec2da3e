using Microsoft.Win32.SafeHandles;

namespace Benji.Cli.Streams;

/// <summary>Fills the descriptors 0 to 2 where whoever started the program had closed them.</summary>
/// <remarks>The next file that is opened would get such a number, and a message to standard error would go into it: into
/// the catalog, say. Writing to what stands there instead fails, as it does to a closed descriptor.</remarks>
internal sealed class StandardDescriptors : IDisposable
{
    /// <summary>The descriptor of standard output.</summary>
    public const int Output = 1;

    /// <summary>The descriptor of standard error.</summary>
    public const int Error = 2;

    private readonly List<SafeFileHandle> _fillers = [];

    /// <summary>Fills them; called before anything else is opened.</summary>
    public StandardDescriptors()
    {
        // The kernel gives the lowest free number.
        SafeFileHandle handle;
        do
        {
            handle = File.OpenHandle("/dev/null");
            _fillers.Add(handle);
        }
        while (handle.DangerousGetHandle() <= Error);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var filler in _fillers)
        {
            filler.Dispose();
        }
    }
}
