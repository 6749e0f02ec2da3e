using System.CommandLine;
using System.Globalization;
using Benji.Cli.Mounting;
using Benji.Mount;
using Benji.Store.Model;

namespace Benji.Cli.Commands;

/// <summary><c>benji umount</c>: takes a mount away and returns when the process that served it has ended.</summary>
internal sealed class UmountCommand : ICommand
{
    private static readonly TimeSpan EndLimit = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan DetachedEndLimit = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LookInterval = TimeSpan.FromMilliseconds(10);

    private readonly Argument<string> _mountPoint = new("MOUNTPOINT") { Description = "Where it is mounted" };

    /// <inheritdoc/>
    public Command Syntax => field ??= new Command("umount", "Unmount what benji mount has mounted") { _mountPoint };

    /// <inheritdoc/>
    public async Task<int> RunAsync(ParseResult parsed, CommandRun run)
    {
        var mountPoint = MountPoint.Resolve(parsed.GetRequiredValue(_mountPoint));
        if (MountTable.Find(mountPoint) is not { Type: MountTable.BenjiType } entry)
        {
            throw new NotFoundException($"benji has nothing mounted at {mountPoint}. See 'findmnt -t {MountTable.BenjiType}'.");
        }

        var (below, elsewhere) = MountTable.FindInTheWay(entry);
        if (below.Count > 0)
        {
            throw new InUseException($"{mountPoint} stays: {Points(below)} is mounted in it. Unmount that first.");
        }

        var record = MountRecord.Find(entry);
        var isDetached = !Unmounting.TryUnmount(mountPoint);
        if (isDetached)
        {
            Unmounting.Detach(mountPoint);
        }

        if (elsewhere.Count > 0)
        {
            throw new InUseException(
                $"{mountPoint} is unmounted, but the same files are mounted at {Points(elsewhere)} too, and are served until that "
                + "is unmounted.");
        }

        var hasEnded = record is null || await WaitForEndAsync(record, isDetached ? DetachedEndLimit : EndLimit, run);
        Tell(run, mountPoint, isDetached, hasEnded ? null : record!.Process);
        if (hasEnded || isDetached)
        {
            return ExitCodes.Success;
        }

        throw new InUseException(string.Create(
            CultureInfo.InvariantCulture,
            $"{mountPoint} is unmounted, but process {record!.Process} has not ended after {EndLimit.TotalSeconds} s."));
    }

    private static string Points(IReadOnlyList<MountEntry> mounts) =>
        string.Join(" and ", mounts.Select(mount => mount.MountPoint));

    private static async Task<bool> WaitForEndAsync(MountRecord record, TimeSpan limit, CommandRun run)
    {
        var started = run.Time.GetTimestamp();
        while (record.IsRunning)
        {
            if (run.Time.GetElapsedTime(started) > limit)
            {
                return false;
            }

            await Task.Delay(LookInterval, run.Time, run.Stop);
        }

        return true;
    }

    private static void Tell(CommandRun run, string mountPoint, bool isDetached, int? process)
    {
        if (run.IsMachineOutput)
        {
            run.WriteJson(writer =>
            {
                writer.WriteString("mount_point", mountPoint);
                writer.WriteBoolean("detached", isDetached);
                if (process is { } id)
                {
                    writer.WriteNumber("process", id);
                }
            });
        }
        else if (process is { } id)
        {
            run.Summarize(string.Create(
                CultureInfo.InvariantCulture,
                $"Unmounted {mountPoint}, in which files are open: process {id} serves them until they are closed."));
        }
        else
        {
            run.Summarize($"Unmounted {mountPoint}.");
        }
    }
}
