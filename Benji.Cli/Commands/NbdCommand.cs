using System.CommandLine;
using System.Globalization;
using System.Net;
using Benji.Cli.Services;
using Benji.Nbd;
using Benji.Store;
using Benji.Store.Model;

namespace Benji.Cli.Commands;

/// <summary><c>benji nbd</c>: serves every version and overlay as a disk over NBD until it is stopped.</summary>
internal sealed class NbdCommand : ICommand
{
    private const string Discard = "discard";
    private const string Promote = "promote";
    private const int PortDefault = 10809;
    private const long CacheMin = 16L * 1024 * 1024;
    private const long CacheMax = 1L << 40;

    private readonly Option<string[]> _addresses = new("--bind-address", "-a")
    {
        Description = "IP address to listen on; may be repeated (default: 127.0.0.1)",
        HelpName = "ADDRESS",
    };

    private readonly Option<string?> _port = new("--bind-port", "-p")
    {
        Description = "TCP port to listen on; 0 for any free one (default: 10809)",
        HelpName = "PORT",
    };

    private readonly Option<string?> _socket = new("--socket")
    {
        Description = "Unix socket to listen on; then TCP only with --bind-address or --bind-port",
        HelpName = "PATH",
    };

    private readonly Option<string?> _socketMode = new("--socket-mode")
    {
        Description = "Permissions of the unix socket, in octal, as 660 for its group (default: 600)",
        HelpName = "MODE",
    };

    private readonly Option<string?> _socketGroup = new("--socket-group")
    {
        Description = "Group of the unix socket, as kvm, by name or number (default: that of this user)",
        HelpName = "GROUP",
    };

    private readonly Option<bool> _readOnly = new("--read-only", "-r")
    {
        Description = "Serve overlays read-only too, and make none",
    };

    private readonly Option<string?> _writable = new("--writable")
    {
        Description = "Let each connection write to versions, and at its end 'discard' or 'promote' what it wrote",
        HelpName = "MODE",
    };

    private readonly Option<bool> _discardChanges = new("--discard-changes", "-d")
    {
        Description = "The same as --writable discard",
    };

    private readonly Option<string?> _certificates = new("--tls-certificates")
    {
        Description = "Directory of ca-cert.pem, server-cert.pem and server-key.pem; TCP then needs TLS",
        HelpName = "DIRECTORY",
    };

    private readonly Option<string[]> _allowed = new("--tls-allow")
    {
        Description = "Client to let in: a certificate's subject, as CN=backup1, or SHA-256 fingerprint; may be repeated",
        HelpName = "NAME",
    };

    private readonly Option<bool> _insecure = new("--insecure")
    {
        Description = "Listen without TLS on addresses that are not loopback, or with TLS for clients without certificates",
    };

    private readonly Option<string?> _defaultExport = new("--default-export")
    {
        Description = "Export of clients that name none: a version or overlay (default: they are refused)",
        HelpName = "VERSION",
    };

    private readonly Option<string?> _cache = new("--cache")
    {
        Description = "Verified content to keep in memory; K, M and G are understood (default: 256M)",
        HelpName = "SIZE",
    };

    /// <inheritdoc/>
    public Command Syntax => field ??= new Command("nbd", "Serve versions and overlays as disks over NBD")
    {
        _addresses, _port, _socket, _socketMode, _socketGroup, _readOnly, _writable, _discardChanges, _certificates, _allowed, _insecure,
        _defaultExport, _cache,
    };

    /// <inheritdoc/>
    public async Task<int> RunAsync(ParseResult parsed, CommandRun run)
    {
        var options = Read(parsed, IsActivated(run.Variable)) with { Clock = run.Time };
        var cacheBytes = ReadCache(parsed);
        var storeOptions = run.ReadOptions();
        if (options.SocketPath is { } socket)
        {
            storeOptions.Places.RequireOutside(socket, "The socket");
        }

        await using var store = await run.OpenStoreAsync(
            storeOptions, options.ReadOnly ? StoreUse.Read : StoreUse.Serve);
        await using var server = new NbdServer(
            store.OpenImages(cacheBytes), options, run.Logging.CreateLogger("Benji.Nbd"));
        await server.StartAsync(run.Stop);
        var service = new ServiceNotify(run.Variable(ServiceNotify.Variable));
        var serving = server.RunAsync(run.Stop);
        TellReady(server, options.TlsCertificates is not null, service, run);
        await using (run.Stop.Register(service.Stopping))
        {
            await serving;
        }

        return ExitCodes.Success;
    }

    /// <summary>Returns what the arguments ask for.</summary>
    /// <param name="parsed">The arguments.</param>
    /// <param name="isActivated">True when the service manager hands over sockets: nothing else is then listened on by
    /// default.</param>
    /// <exception cref="UsageException">An argument is not valid, or two contradict each other.</exception>
    internal NbdServerOptions Read(ParseResult parsed, bool isActivated)
    {
        var socket = parsed.GetValue(_socket);
        var addresses = parsed.GetValue(_addresses) ?? [];
        var port = parsed.GetValue(_port);
        var listensOnTcp = addresses.Length > 0 || port is not null || (socket is null && !isActivated);
        return new NbdServerOptions
        {
            Endpoints = listensOnTcp ? Endpoints(addresses, port) : [],
            SocketPath = socket,
            SocketAccess = SocketAccessReader.Read(
                socket, parsed.GetValue(_socketMode), parsed.GetValue(_socketGroup), parsed.GetValue(_insecure)),
            TlsCertificates = parsed.GetValue(_certificates),
            AllowedClients = parsed.GetValue(_allowed) ?? [],
            Insecure = parsed.GetValue(_insecure),
            ReadOnly = parsed.GetValue(_readOnly),
            Writable = ReadWritable(parsed),
            DefaultExport = parsed.GetValue(_defaultExport),
        };
    }

    private WritableVersions ReadWritable(ParseResult parsed)
    {
        var mode = parsed.GetValue(_writable);
        return (mode, parsed.GetValue(_discardChanges)) switch
        {
            (null, false) => WritableVersions.None,
            (null or Discard, _) => WritableVersions.Discard,
            (Promote, false) => WritableVersions.Promote,
            (Promote, true) => throw new UsageException("--discard-changes contradicts --writable promote: leave one away."),
            _ => throw new UsageException($"--writable {Names.Show(mode)} is neither '{Discard}' nor '{Promote}'."),
        };
    }

    private long ReadCache(ParseResult parsed)
    {
        if (parsed.GetValue(_cache) is not { } text)
        {
            return BenjiStore.ImageCacheBytes;
        }

        var size = ArgumentValues.Size("--cache", text, CacheMax);
        return size >= CacheMin ? size : throw new UsageException($"--cache {Names.Show(text)} is too small: at least 16M.");
    }

    private static IReadOnlyList<IPEndPoint> Endpoints(string[] addresses, string? portText)
    {
        var port = PortDefault;
        if (portText is not null && (!int.TryParse(portText, NumberStyles.None, CultureInfo.InvariantCulture, out port)
            || port > ushort.MaxValue))
        {
            throw new UsageException($"--bind-port {Names.Show(portText)} is not a port: write a number from 0 to 65535.");
        }

        return addresses.Length == 0
            ? [new IPEndPoint(IPAddress.Loopback, port)]
            : [.. addresses.Select(text => new IPEndPoint(Address(text), port))];
    }

    // A host name may stand for several addresses, and for others tomorrow: one that is listened on is written out.
    private static IPAddress Address(string text) => IPAddress.TryParse(text.Trim('[', ']'), out var address)
        ? address
        : throw new UsageException(
            $"--bind-address {Names.Show(text)} is not an IP address: write one, as 127.0.0.1, ::1 or 0.0.0.0.");

    private static bool IsActivated(Func<string, string?> variable) =>
        variable("LISTEN_PID") == Environment.ProcessId.ToString(CultureInfo.InvariantCulture);

    private static void TellReady(NbdServer server, bool hasTls, ServiceNotify service, CommandRun run)
    {
        var addresses = ServedAddresses.Text(server.Endpoints, hasTls);
        if (run.IsMachineOutput)
        {
            run.WriteJson(writer =>
            {
                ServedAddresses.WriteJson(writer, server.Endpoints, hasTls);
                writer.WriteNumber("process", Environment.ProcessId);
            });
            run.Output.Flush();
        }
        else
        {
            run.Summarize($"Ready: {addresses}");
        }

        service.Ready($"Serving {addresses}");
    }
}
