using Benji.Store.Images;
using Benji.Store.Model;
using Microsoft.Extensions.Logging;
using Microsoft.Win32.SafeHandles;

namespace Benji.Mount;

/// <summary>A directory of images, mounted: every version is a file, every overlay a writable one.</summary>
/// <remarks>Protocol: docs/protocol.md, "FUSE". Safe for concurrent calls.</remarks>
public sealed class FuseMount : IAsyncDisposable
{
    private FuseMount()
    {
    }

    /// <summary>The open /dev/fuse, for a service manager to hold; owned by the mount.</summary>
    public SafeFileHandle Device => throw new NotSupportedException();

    /// <summary>What was agreed with the kernel: one word, needed beside <see cref="Device"/> to go on after a crash.</summary>
    public string Negotiated => throw new NotSupportedException();

    /// <summary>Ends when the mount has ended: unmounted by somebody, or stopped. It fails when the device failed.</summary>
    public Task Ended => throw new NotSupportedException();

    /// <summary>Mounts and returns when the mount serves.</summary>
    /// <param name="images">What is mounted; used until the mount has stopped.</param>
    /// <param name="options">Where and how.</param>
    /// <param name="logger">Hears of damage, failed requests, start and end.</param>
    /// <param name="clock">Times the looks for changes.</param>
    /// <param name="cancellationToken">Gives up; nothing is mounted then.</param>
    /// <exception cref="UsageException">The options are not valid, the mount point is no directory or is in use, there is no
    /// /dev/fuse or fusermount3, or <c>allow_other</c> is not allowed.</exception>
    public static Task<FuseMount> StartAsync(
        IImageDirectory images,
        FuseMountOptions options,
        ILogger logger,
        TimeProvider clock,
        CancellationToken cancellationToken = default) => throw new NotSupportedException();

    /// <summary>Goes on with a connection whose server died; what clients wait for is asked again.</summary>
    /// <param name="images">What is mounted; used until the mount has stopped.</param>
    /// <param name="options">The same as when it was mounted.</param>
    /// <param name="held">The connection; taken over, also when this fails.</param>
    /// <param name="logger">Hears of damage, failed requests, start and end.</param>
    /// <param name="clock">Times the looks for changes.</param>
    /// <param name="cancellationToken">Gives up; the mount stays.</param>
    /// <exception cref="UsageException">The saved word is not one of a mount.</exception>
    public static Task<FuseMount> ResumeAsync(
        IImageDirectory images,
        FuseMountOptions options,
        HeldConnection held,
        ILogger logger,
        TimeProvider clock,
        CancellationToken cancellationToken = default) => throw new NotSupportedException();

    /// <summary>Unmounts, makes what was written to overlays durable and ends; within 5 s, whatever clients hold open.</summary>
    /// <exception cref="StorageException">An overlay could not be made durable.</exception>
    public Task StopAsync() => throw new NotSupportedException();

    /// <inheritdoc/>
    public async ValueTask DisposeAsync() => await StopAsync();
}
