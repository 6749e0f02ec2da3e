using Benji.Mount.Kernel;
using Benji.Mount.Kernel.Mounting;
using Benji.Mount.Kernel.Wire;
using Benji.Mount.Session;
using Benji.Mount.Tree;
using Benji.Store.Images;
using Benji.Store.Model;
using Microsoft.Extensions.Logging;
using Microsoft.Win32.SafeHandles;

namespace Benji.Mount;

/// <summary>A directory of images, mounted: every version is a file, every overlay a writable one.</summary>
/// <remarks>Protocol: docs/protocol.md, "Mount". Safe for concurrent calls.</remarks>
public sealed class FuseMount : IAsyncDisposable
{
    private const int ReadersMin = 2;
    private const int ReadersUsual = 4;

    private static readonly TimeSpan StartWait = TimeSpan.FromSeconds(10);
    // All together, with two waits in the end of the session, less than 5 s.
    private static readonly TimeSpan WriteBackWait = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan ReadersWait = TimeSpan.FromSeconds(0.7);
    private static readonly TimeSpan CloseWait = TimeSpan.FromSeconds(2.4);

    private readonly Lock _stopLock = new();
    private readonly FuseMountOptions _options;
    private readonly FuseDevice _device;
    private readonly MountSession _session;
    private readonly Negotiation _negotiation;
    private readonly ILogger _logger;
    private readonly string? _mountDevice;
    private Task? _stopped;

    private FuseMount(
        FuseMountOptions options, FuseDevice device, MountSession session, Negotiation negotiation, ILogger logger)
    {
        _options = options;
        _device = device;
        _session = session;
        _negotiation = negotiation;
        _logger = logger;
        _mountDevice = MountTable.Find(options.MountPoint)?.Device;
        Ended = WatchEndAsync();
    }

    /// <summary>The open /dev/fuse, for a service manager to hold; owned by the mount.</summary>
    public SafeFileHandle Device => _device.Handle;

    /// <summary>What was agreed with the kernel: one word, needed beside <see cref="Device"/> to go on after a crash.</summary>
    public string Negotiated => _negotiation.ToString();

    /// <summary>Ends when nothing is served any more: unmounted by somebody, or stopped. It fails with a
    /// <see cref="StorageException"/> when the device failed, or the kernel's connection was aborted under the mount.</summary>
    public Task Ended { get; }

    /// <summary>The connection, for tests in which a server dies.</summary>
    internal FuseDevice Connection => _device;

    /// <summary>Mounts and returns when the mount serves.</summary>
    /// <param name="images">What is mounted; used until the mount has stopped.</param>
    /// <param name="options">Where and how.</param>
    /// <param name="logger">Hears of damage, failed requests, start and end.</param>
    /// <param name="clock">Times the looks for changes.</param>
    /// <param name="cancellationToken">Gives up; nothing is mounted then.</param>
    /// <exception cref="UsageException">The options are not valid, the mount point is no directory or is in use, there is no
    /// /dev/fuse or fusermount3, or <c>allow_other</c> is not allowed.</exception>
    public static async Task<FuseMount> StartAsync(
        IImageDirectory images,
        FuseMountOptions options,
        ILogger logger,
        TimeProvider clock,
        CancellationToken cancellationToken = default)
    {
        options.Check();
        options = options with { MountPoint = Mounter.Resolve(options.MountPoint) };
        FuseDevice? device = null;
        MountSession? session = null;
        try
        {
            var tree = new ImageTree(images);
            await tree.RefreshAsync(cancellationToken);
            device = Mounter.Mount(
                new MountRequest(options.MountPoint, options.Source, options.IsReadOnly, options.AllowOther));
            session = new MountSession(device, images, tree, Resolve(options), logger, clock);
            var negotiation = await session.StartAsync(cancellationToken).WaitAsync(StartWait, clock, cancellationToken);
            var mount = new FuseMount(options, device, session, negotiation, logger);
            if (options.ReadAhead is { } bytes && mount._mountDevice is { } number)
            {
                Mounter.SetReadAhead(number, bytes);
            }

            Log.Mounted(logger, options.MountPoint, mount.Negotiated, session.ImageCount);
            return mount;
        }
        catch (Exception exception)
        {
            await UndoAsync(options, device, session);
            if (exception is TimeoutException)
            {
                throw new UsageException(
                    $"The kernel did not begin to use {options.MountPoint} within {StartWait.TotalSeconds} s.", exception);
            }

            if (exception is MountFailedException or FuseDeviceException or FuseProtocolException)
            {
                throw new UsageException(exception.Message, exception);
            }

            throw;
        }
    }

    /// <summary>Goes on with a connection whose server died; what clients wait for is asked again.</summary>
    /// <param name="images">What is mounted; used until the mount has stopped.</param>
    /// <param name="options">The same as when it was mounted.</param>
    /// <param name="held">The connection; taken over, also when this fails.</param>
    /// <param name="logger">Hears of damage, failed requests, start and end.</param>
    /// <param name="clock">Times the looks for changes.</param>
    /// <param name="cancellationToken">Gives up; the mount stays.</param>
    /// <exception cref="UsageException">The saved word is not one of a mount, or nothing is mounted there.</exception>
    public static async Task<FuseMount> ResumeAsync(
        IImageDirectory images,
        FuseMountOptions options,
        HeldConnection held,
        ILogger logger,
        TimeProvider clock,
        CancellationToken cancellationToken = default)
    {
        var device = new FuseDevice(held.Device);
        MountSession? session = null;
        try
        {
            options.Check();
            options = options with { MountPoint = Mounter.Resolve(options.MountPoint) };
            if (!Negotiation.TryParse(held.Negotiated, out var negotiation))
            {
                throw new UsageException($"{Names.Show(held.Negotiated)} is not what a mount agreed with the kernel.");
            }

            if (MountTable.Find(options.MountPoint)?.Type != MountTable.BenjiType)
            {
                throw new UsageException($"Nothing to go on with is mounted at {options.MountPoint}.");
            }

            var tree = new ImageTree(images);
            await tree.RefreshAsync(cancellationToken);
            session = new MountSession(device, images, tree, Resolve(options), logger, clock);
            var mount = new FuseMount(options, device, session, negotiation, logger);
            session.Resume(negotiation);
            Log.Resumed(logger, options.MountPoint, mount.Negotiated, session.ImageCount);
            return mount;
        }
        catch
        {
            device.Dispose();
            session?.Dispose();
            throw;
        }
    }

    /// <summary>Unmounts, makes what was written to overlays durable and ends; within 5 s, whatever clients hold open.</summary>
    /// <exception cref="StorageException">An overlay could not be made durable.</exception>
    public Task StopAsync()
    {
        lock (_stopLock)
        {
            return _stopped ??= StopOnceAsync();
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync() => await StopAsync();

    private static SessionOptions Resolve(FuseMountOptions options) => new(
        new NodeAccess(options.Uid ?? LibC.EffectiveUser(), options.Gid ?? LibC.EffectiveGroup(), options.Umask),
        options.IsReadOnly,
        options.Readers ?? Math.Clamp(Environment.ProcessorCount, ReadersMin, ReadersUsual),
        options.PollInterval);

    private static async Task UndoAsync(FuseMountOptions options, FuseDevice? device, MountSession? session)
    {
        if (device is null)
        {
            return;
        }

        try
        {
            if (MountTable.Find(options.MountPoint) is { Type: MountTable.BenjiType } entry)
            {
                Mounter.Detach(options.MountPoint, entry.Device);
            }
        }
        catch (MountFailedException)
        {
            // The first failure is the one to tell; the end of the connection leaves nothing that hangs.
        }

        if (session is not null)
        {
            await session.EndAsync(wake: null, ReadersWait);
            session.Dispose();
        }

        device.Dispose();
    }

    // Whoever unmounts takes the mount out of the table before the connection ends; who aborts the connection leaves it there,
    // and every access fails until it is taken away.
    private async Task WatchEndAsync()
    {
        try
        {
            await _session.WhenEnded;
        }
        catch (FuseDeviceException failure)
        {
            throw new StorageException(
                $"The mount at {_options.MountPoint} has ended: {failure.Message}", isTransient: false, failure);
        }

        lock (_stopLock)
        {
            if (_stopped is not null)
            {
                return;
            }
        }

        if (_mountDevice is not null && MountTable.Find(_options.MountPoint)?.Device == _mountDevice)
        {
            throw new StorageException(
                $"The kernel's connection of the mount at {_options.MountPoint} was aborted: mount it again.", isTransient: false);
        }
    }

    private async Task StopOnceAsync()
    {
        using var waker = MountTable.Find(_options.MountPoint)?.Device == _mountDevice
            ? MountWaker.TryOpen(_options.MountPoint)
            : null;
        try
        {
            if (waker is not null && !_options.IsReadOnly)
            {
                await WriteBackAsync();
            }

            if (_mountDevice is not null)
            {
                Mounter.Detach(_options.MountPoint, _mountDevice);
            }

            await _session.EndAsync(waker is null ? null : waker.Wake, ReadersWait);
            await _session.CloseFilesAsync().WaitAsync(CloseWait);
        }
        catch (MountFailedException failure)
        {
            throw new StorageException(failure.Message, isTransient: false, failure);
        }
        catch (TimeoutException failure)
        {
            throw new StorageException(
                $"Overlays could not be made durable within {CloseWait.TotalSeconds} s.", isTransient: true, failure);
        }
        finally
        {
            _session.Dispose();
            _device.Dispose();
            Log.Unmounted(_logger, _options.MountPoint);
        }
    }

    // On a thread that nobody waits for longer than so: a storage that hangs may keep it.
    private async Task WriteBackAsync()
    {
        var written = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var thread = new Thread(() =>
        {
            MountWaker.WriteBack(_options.MountPoint);
            written.SetResult();
        });
        thread.IsBackground = true;
        thread.Start();
        try
        {
            await written.Task.WaitAsync(WriteBackWait);
        }
        catch (TimeoutException)
        {
            Log.WriteBackTooSlow(_logger, _options.MountPoint);
        }
    }
}
