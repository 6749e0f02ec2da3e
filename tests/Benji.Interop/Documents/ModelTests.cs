using System.Diagnostics;
using Benji.Testing;
using Xunit;

namespace Benji.Interop.Documents;

/// <summary>The models of the arguments in docs/format.md: what each rule is for, and that nothing is lost with all of them.</summary>
public sealed class ModelTests
{
    [Fact]
    public async Task HistoriesLoseSomethingWithoutARuleAndNothingWithAll()
    {
        using var models = Process.Start(
            new ProcessStartInfo("python3", [Repository.PathOf("tests", "models", "run.py"), "--quick"])
            {
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            })!;
        var output = models.StandardOutput.ReadToEndAsync();
        var errors = models.StandardError.ReadToEndAsync();
        await models.WaitForExitAsync();

        Assert.Equal((0, "ok", ""), (models.ExitCode, (await output).Trim(), await errors));
    }
}
