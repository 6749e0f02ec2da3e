using System.CommandLine;
using Benji.Cli.Logging;
using Benji.Cli.Mounting;
using Benji.Cli.Services;
using Benji.Store;

namespace Benji.Cli.Commands;

/// <summary><c>benji mount</c>: shows every version and overlay as a file below a directory.</summary>
internal sealed class MountCommand : ICommand
{
    private readonly Argument<string> _mountPoint = new("MOUNTPOINT") { Description = "An existing directory" };

    private readonly Option<bool> _foreground = new("--foreground", "-f")
    {
        Description = "Stay until it is unmounted or stopped (default: return when it serves)",
    };

    private readonly Option<string[]> _options = new("--options", "-o")
    {
        Description = "Mount options, separated by commas: ro, allow_other, cache=SIZE, uid=, gid=, umask= and others",
        HelpName = "OPTIONS",
    };

    private readonly Option<string?> _source = new("--source")
    {
        Description = "What the table of mounts shows as mounted (default: benji)",
        HelpName = "TEXT",
    };

    /// <inheritdoc/>
    public Command Syntax => field ??= new Command("mount", "Show versions and overlays as files below a directory")
    {
        _mountPoint, _foreground, _options, _source,
    };

    /// <inheritdoc/>
    public async Task<int> RunAsync(ParseResult parsed, CommandRun run)
    {
        var isBackground = Background.IsHere;
        var settings = MountSettings.Parse(parsed.GetValue(_options) ?? []);
        var mountPoint = MountPoint.Resolve(parsed.GetRequiredValue(_mountPoint));
        if (!isBackground && !parsed.GetValue(_foreground))
        {
            return await StartInBackgroundAsync(mountPoint, run);
        }

        var logger = run.Logging.CreateLogger("Benji.Mount");
        var storeOptions = run.ReadOptions();
        await using var store = await run.OpenStoreAsync(storeOptions, settings.IsReadOnly ? StoreUse.Read : StoreUse.Serve);
        await run.WarnOfForgottenAsync(store, storeOptions);
        var images = store.OpenImages(settings.CacheBytes);
        var options = settings.ToOptions(mountPoint, parsed.GetValue(_source));
        await using (var mount = await MountService.StartAsync(
            images, options, () => MountPoint.Check(mountPoint, storeOptions), run.Variable, logger, run.Time, run.Stop))
        {
            if (isBackground)
            {
                GoOnAlone(run);
            }

            await Task.WhenAny(mount.Ended, Task.Delay(Timeout.InfiniteTimeSpan, run.Time, run.Stop));
            if (mount.Ended.IsFaulted)
            {
                await mount.Ended;
            }
        }

        return ExitCodes.Success;
    }

    private static async Task<int> StartInBackgroundAsync(string mountPoint, CommandRun run)
    {
        var (process, exitCode) = await Background.StartAsync(run.Stop);
        if (process is not { } id)
        {
            return exitCode; // the one in the background has told why
        }

        if (run.IsMachineOutput)
        {
            run.WriteJson(writer =>
            {
                writer.WriteString("mount_point", mountPoint);
                writer.WriteNumber("process", id);
            });
        }
        else
        {
            run.Summarize($"Mounted at {mountPoint}.");
        }

        return exitCode;
    }

    private static void GoOnAlone(CommandRun run)
    {
        if (FileIdentity.Find(SystemLog.DefaultPath) is not null)
        {
            run.Logging.Redirect(SystemLog.DefaultPath);
        }
        else if (!run.Logging.HasFile)
        {
            Log.NoSystemLog(run.Logging.CreateLogger("Benji.Cli"), SystemLog.DefaultPath);
        }

        Background.TellReady(run.Output.Stream);
    }
}
