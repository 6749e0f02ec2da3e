using System.Text;
using Benji.Interop.Cli;
using Benji.Testing;
using Xunit;

namespace Benji.Interop.Documents;

/// <summary>The step of <c>scripts/build</c> that compares the packages to compile with the committed lock.</summary>
public sealed class LockedPackagesTests : IDisposable
{
    private const string Lock = """
        {"version": 2, "dependencies": {
          "net10.0": {
            "First": {"type": "Direct", "requested": "[1.0.0, )", "resolved": "1.0.0", "contentHash": "firstHash=="},
            "second": {"type": "Transitive", "resolved": "2.0.0", "contentHash": "secondHash=="},
            "ours": {"type": "Project"}},
          "net10.0/linux-x64": {
            "second": {"type": "Transitive", "resolved": "2.0.0", "contentHash": "secondHash=="}}}}
        """;

    private const string Assets = """
        {"libraries": {
          "First/1.0.0": {"type": "package", "path": "first/1.0.0"},
          "Second/2.0.0": {"type": "package", "path": "second/2.0.0"},
          "runtime.linux-x64.Microsoft.DotNet.ILCompiler/10.0.1": {"type": "package", "path": "ilcompiler/10.0.1"},
          "Microsoft.NET.ILLink.Tasks/10.0.1": {"type": "package", "path": "illink/10.0.1"},
          "Ours/0.1.0": {"type": "project", "path": "../Ours/Ours.csproj"}},
         "packageFolders": {"FOLDER/none/": {}, "FOLDER/": {}}}
        """;

    private readonly BenjiProgram _benji = new();

    public LockedPackagesTests()
    {
        WritePackage("first/1.0.0", "firstHash==");
        WritePackage("second/2.0.0", "secondHash==");
    }

    [Fact]
    public async Task LockedPackagesAndThoseOfTheSdkPass()
    {
        var result = await CompareAsync(Lock, Assets);
        Assert.True(result.ExitCode == 0, result.Error);
        Assert.Empty(result.Error);
    }

    [Theory]
    [InlineData("firstHash==", "otherHash==", "First/1.0.0 has the hash firstHash==")]
    [InlineData("secondHash==", "otherHash==", "Second/2.0.0 has the hash secondHash==")]
    [InlineData("\"resolved\": \"1.0.0\"", "\"resolved\": \"1.0.1\"", "First/1.0.0 has the hash firstHash==")]
    [InlineData("\"First\":", "\"Another\":", "First/1.0.0 is not in")]
    [InlineData("\"version\": 2,", "\"version\": 2", "Traceback")]
    public async Task AnotherLockIsRefused(string part, string replacement, string message) =>
        await RefusedAsync(Lock.Replace(part, replacement, StringComparison.Ordinal), Assets, message);

    [Fact]
    public async Task ADifferenceInOneGraphOfTheLockIsRefused()
    {
        var position = Lock.LastIndexOf("secondHash", StringComparison.Ordinal);
        await RefusedAsync(Lock.Insert(position, "x"), Assets, "Second/2.0.0 has the hash secondHash==");
    }

    [Theory]
    [InlineData("First/1.0.0", "First/1.0.1", "First/1.0.1 has the hash firstHash==")]
    [InlineData("Microsoft.NET.ILLink.Tasks/10.0.1", "Microsoft.NET.ILLink.Task/10.0.1", "in none of the package folders")]
    [InlineData("first/1.0.0\"", "first/9.9.9\"", "in none of the package folders")]
    public async Task OtherPackagesAreRefused(string part, string replacement, string message) =>
        await RefusedAsync(Lock, Assets.Replace(part, replacement, StringComparison.Ordinal), message);

    [Fact]
    public async Task AnotherContentOfAPackageIsRefused()
    {
        WritePackage("second/2.0.0", "otherHash==");
        await RefusedAsync(Lock, Assets, "Second/2.0.0 has the hash otherHash==");
    }

    public void Dispose() => _benji.Dispose();

    private async Task RefusedAsync(string locked, string assets, string message)
    {
        var result = await CompareAsync(locked, assets);
        Assert.Equal(1, result.ExitCode);
        Assert.Contains(message, result.Error, StringComparison.Ordinal);
        Assert.Contains("the packages are not the locked ones, nothing was compiled", result.ErrorLine, StringComparison.Ordinal);
    }

    private async Task<ProgramResult> CompareAsync(string locked, string assets)
    {
        await File.WriteAllTextAsync(_benji["packages.lock.json"], locked, Encoding.UTF8);
        await File.WriteAllTextAsync(
            _benji["project.assets.json"], assets.Replace("FOLDER", _benji["packages"], StringComparison.Ordinal));
        return await _benji.ShellAsync(
            $"source '{Repository.PathOf("scripts", "setup")}'; check_locked '{_benji.Directory}' '{_benji["project.assets.json"]}'");
    }

    private void WritePackage(string path, string hash)
    {
        var directory = Directory.CreateDirectory(Path.Combine(_benji["packages"], path)).FullName;
        File.WriteAllText(Path.Combine(directory, ".nupkg.metadata"), $$"""{"version": 2, "contentHash": "{{hash}}"}""");
    }
}
