using Benji.Cli.Configuration;
using Benji.Store;
using Benji.Testing;
using Xunit;

namespace Benji.Tests.Cli.Configuration;

/// <summary>Files with keys and passwords that others than their user may read are told of, once, with what to do.</summary>
public sealed class ExposedSecretTests : IDisposable
{
    private const string Yaml = """
        configurationVersion: '1'
        databaseEngine: litedb:///var/benji.db
        storages:
          - name: one
            storageId: 1
            module: file
            configuration: { path: /one, activeTransforms: [aes] }
          - name: two
            storageId: 2
            module: file
            configuration: { path: /two, activeTransforms: [aes] }
        defaultStorage: one
        transforms:
          - name: aes
            module: aes_256_gcm
            configuration: { passwordFile: FILE }
        """;

    private readonly TemporaryDirectory _directory = new();
    private readonly Dictionary<string, string> _variables = [];

    public ExposedSecretTests()
    {
        _variables["HOME"] = _directory.Path;
        File.WriteAllText(Secret, "a long password\n");
    }

    private string Secret => _directory["secret"];

    public void Dispose() => _directory.Dispose();

    [Theory]
    [InlineData("0600", false)]
    [InlineData("0400", false)]
    [InlineData("0700", false)]
    [InlineData("0640", true)]
    [InlineData("0604", true)]
    [InlineData("0620", true)]
    [InlineData("0602", true)]
    [InlineData("0610", true)]
    [InlineData("0777", true)]
    public void AnyBitOfOthersIsToldOf(string mode, bool isExposed)
    {
        File.SetUnixFileMode(Secret, (UnixFileMode)Convert.ToInt32(mode, 8));
        var exposure = KeyFile.FindExposure(Secret);
        Assert.Equal(isExposed, exposure is not null);
        if (isExposed)
        {
            Assert.Contains($"(mode {mode}): chmod 600 {Secret}", exposure, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void WhatIsNoFileHasNoMode()
    {
        Assert.Null(KeyFile.FindExposure("/dev/null"));
        Assert.Null(KeyFile.FindExposure(_directory["missing"]));
    }

    [Theory]
    [InlineData("BENJI_PASSWORD_FILE")]
    [InlineData(null)]
    public void TheConfigurationWarnsOnce(string? variable)
    {
        File.SetUnixFileMode(Secret, (UnixFileMode)0b110_100_100);
        var file = _directory["benji.yaml"];
        File.WriteAllText(file, Yaml.Replace("FILE", Secret, StringComparison.Ordinal));
        if (variable is not null)
        {
            _variables["BENJI_HOME"] = _directory["home"];
            _variables[variable] = Secret;
        }

        var loaded = ConfigurationReader.Read(
            variable is null ? file : null, Surroundings.OfProcess(_variables.GetValueOrDefault));

        Assert.Single(loaded.Warnings, warning => warning.Contains($"chmod 600 {Secret}", StringComparison.Ordinal));
        File.SetUnixFileMode(Secret, (UnixFileMode)0b110_000_000);
        Assert.DoesNotContain(
            ConfigurationReader.Read(variable is null ? file : null, Surroundings.OfProcess(_variables.GetValueOrDefault)).Warnings,
            warning => warning.Contains("chmod", StringComparison.Ordinal));
    }
}
