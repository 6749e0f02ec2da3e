using Benji.Cli.Output;
using Benji.Store.Operations;

namespace Benji.Cli.Commands;

/// <summary>Prints what a scrub found and chooses its exit code; both scrubs end here.</summary>
internal static class ScrubOutcome
{
    /// <summary>Prints and returns the exit code.</summary>
    public static int Print(CommandRun run, ScrubResult result)
    {
        if (run.IsMachineOutput)
        {
            run.WriteJson(writer => ScrubReport.WriteJson(writer, result));
        }
        else
        {
            DamageMap.Write(run.Output.Writer, result.Damage);
            ScrubReport.WriteDifferences(run.Output.Writer, result);
            run.Summarize(ScrubReport.Summary(result));
        }

        if (ScrubReport.Failure(result) is not { } failure)
        {
            return ExitCodes.Success;
        }

        run.ReportFailure(ExitCodes.Damaged, failure);
        return ExitCodes.Damaged;
    }
}
