using Benji.Store.Model;
using Benji.Store.Posix;
using Benji.Store.Posix.Directories;

namespace Benji.Store.Images.Overlays.Files;

/// <summary>Makes failures of overlay files this program's own.</summary>
internal static class OverlayErrors
{
    /// <summary>Returns what a failure of a file or of the directory of overlays means.</summary>
    public static BenjiException Translate(IOException failure, string path) =>
        failure switch
        {
            PosixException { IsFull: true } =>
                new NoSpaceException($"The disk under overlay {path} is full: {failure.Message}", failure),
            PosixException { Errno: Errno.ReadOnlyFileSystem } =>
                new ReadOnlyException($"Overlay {path} cannot be written: {failure.Message}", failure),
            LinkInTheWayException => new ConfigurationException($"Overlay {path} is not used: {failure.Message}", failure),
            _ => new StorageException($"Overlay {path} failed: {failure.Message}", isTransient: false, failure),
        };
}
