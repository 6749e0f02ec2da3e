using Benji.Store.Model;
using Xunit;

namespace Benji.Tests.Cli.Configuration;

public sealed class ConfigurationReaderTests
{
    private const string Minimal =
        "configurationVersion: 1\ndatabaseEngine: litedb:///c.db\nstorages: [{name: s, module: file, configuration: {path: /s}}]\n";

    private readonly FakeSurroundings _fake = new();

    [Fact]
    public void RootWithoutConfigurationLivesInVarLib()
    {
        _fake.IsRoot = true;
        _fake.Variables["HOME"] = "/root";
        _fake.Variables["XDG_DATA_HOME"] = "/x";
        var loaded = _fake.Read();
        Assert.Equal("/var/lib/benji", loaded.Home);
        Assert.Null(loaded.File);
        Assert.Equal("/var/lib/benji/catalog.db", loaded.Store.CatalogPath);
        Assert.Equal("/var/lib/benji/overlays", loaded.Store.OverlayDirectory);
        var storage = Assert.Single(loaded.Store.Storages);
        Assert.Equal("/var/lib/benji/storage", storage.Path);
        Assert.Equal(storage.Name, loaded.Store.DefaultStorage);
        Assert.Equal(1, storage.ZstdLevel);
        Assert.Null(storage.Key);
        Assert.Throws<NotFoundException>(() => loaded.Store.Sources.OpenSource("file:/nowhere/at/all"));
    }

    [Theory]
    [InlineData("/data", "/home/u", "/data/benji")]
    [InlineData("data", "/home/u", "/home/u/.local/share/benji")]
    [InlineData("", "/home/u", "/home/u/.local/share/benji")]
    public void AUserWithoutConfigurationLivesInTheDataDirectory(string data, string user, string home)
    {
        _fake.Variables["XDG_DATA_HOME"] = data;
        _fake.Variables["HOME"] = user;
        Assert.Equal(home, _fake.Read().Home);
    }

    [Fact]
    public void WithoutAnyPlaceThereIsNoConfiguration() => Assert.Throws<ConfigurationException>(() => _fake.Read());

    [Fact]
    public void TheHomeVariableBeatsDefaultFilesAndMayBeRelative()
    {
        _fake.Files["/etc/benji.yaml"] = Minimal;
        _fake.Variables["BENJI_HOME"] = "mine";
        var loaded = _fake.Read();
        Assert.Equal("/here/mine", loaded.Home);
        Assert.Equal("/here/mine/catalog.db", loaded.Store.CatalogPath);
    }

    [Theory]
    [InlineData("BENJI_KEY_FILE", false)]
    [InlineData("BENJI_PASSWORD_FILE", false)]
    [InlineData("BENJI_PASSWORD_COMMAND", false)]
    [InlineData("BENJI_KEY_FILE", true)]
    [InlineData("BENJI_PASSWORD_COMMAND", true)]
    public void AKeyVariableThatIsSetAndEmptyIsNotOneThatIsMissing(string name, bool hasFile)
    {
        _fake.IsRoot = true;
        _fake.Variables[name] = "";
        if (hasFile)
        {
            _fake.Files["/etc/benji.yaml"] = Minimal;
        }

        var error = Assert.Throws<ConfigurationException>(() => _fake.Read());
        Assert.StartsWith($"{name} is set and empty", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("BENJI_HOME")]
    [InlineData("BENJI_CONFIG")]
    public void AnEmptyVariableOfAPlaceMeansNoOtherPlace(string name)
    {
        _fake.IsRoot = true;
        _fake.Variables[name] = "";
        _fake.Files["/etc/benji.yaml"] = Minimal;
        _fake.Files["/here/line.yaml"] = Minimal;
        var error = Assert.Throws<UsageException>(() => _fake.Read());
        Assert.StartsWith($"{name} is set and empty", error.Message, StringComparison.Ordinal);
        Assert.Equal("/here/line.yaml", _fake.Read("line.yaml").File);
    }

    [Fact]
    public void TheCommandLineBeatsTheVariableAndBothBeatHome()
    {
        _fake.Variables["BENJI_HOME"] = "/mine";
        _fake.Variables["BENJI_CONFIG"] = "variable.yaml";
        _fake.Files["/here/variable.yaml"] = Minimal;
        _fake.Files["/here/line.yaml"] = Minimal;
        Assert.Equal("/here/variable.yaml", _fake.Read().File);
        Assert.Equal("/here/line.yaml", _fake.Read("line.yaml").File);
    }

    [Fact]
    public void DefaultFilesAreTriedInOrder()
    {
        _fake.Variables["HOME"] = "/home/u";
        string[] order =
        [
            "/home/u/benji.yaml", "/home/u/.benji.yaml", "/home/u/.config/benji/benji.yaml", "/etc/benji/benji.yaml",
            "/etc/benji.yaml",
        ];
        foreach (var path in order)
        {
            _fake.Files[path] = Minimal;
            Assert.Equal(path, _fake.Read().File);
            Assert.Null(_fake.Read().Home);
        }
    }

    [Fact]
    public void ANamedFileThatIsMissingIsNotReplacedByADefault()
    {
        _fake.Files["/etc/benji.yaml"] = Minimal;
        var error = Assert.Throws<ConfigurationException>(() => _fake.Read("/none.yaml"));
        Assert.Contains("'/none.yaml' does not exist", error.Message, StringComparison.Ordinal);
        _fake.Variables["BENJI_CONFIG"] = "/none.yaml";
        Assert.Throws<ConfigurationException>(() => _fake.Read());
    }

    [Fact]
    public void ADefaultFileThatCannotBeReadIsNotSkipped()
    {
        _fake.Variables["HOME"] = "/forbidden";
        Assert.Throws<ConfigurationException>(() => _fake.Read());
    }

    [Fact]
    public void KeyVariablesEncryptTheOneStorage()
    {
        _fake.IsRoot = true;
        var key = Enumerable.Range(0, 32).Select(i => (byte)i).ToArray();
        _fake.Files["/here/key"] = Convert.ToBase64String(key) + "\n";
        _fake.Variables["BENJI_KEY_FILE"] = "key";
        Assert.Equal(key, _fake.Read().Store.Storages[0].Key!.MasterKey);

        _fake.Variables["BENJI_PASSWORD_COMMAND"] = "print it";
        var both = Assert.Throws<ConfigurationException>(() => _fake.Read());
        Assert.Contains("Only one of BENJI_KEY_FILE, BENJI_PASSWORD_COMMAND", both.Message, StringComparison.Ordinal);

        _fake.Variables.Remove("BENJI_KEY_FILE");
        _fake.Commands["print it"] = "long enough";
        Assert.Equal("long enough", _fake.Read().Store.Storages[0].Key!.Password);

        _fake.Variables.Remove("BENJI_PASSWORD_COMMAND");
        _fake.Variables["BENJI_PASSWORD_FILE"] = "/here/password";
        _fake.Files["/here/password"] = "also long enough\r\n";
        var derived = _fake.Read().Store.Storages[0].Key!;
        Assert.Equal("also long enough", derived.Password);
        Assert.Null(derived.KdfSalt);
        Assert.Null(derived.KdfIterations);
        Assert.Null(derived.MasterKey);
    }

    [Theory]
    [InlineData("BENJI_KEY_FILE", "none", "does not exist")]
    [InlineData("BENJI_KEY_FILE", "forbidden", "cannot be read")]
    [InlineData("BENJI_KEY_FILE", "short", "base64 of exactly 32 bytes")]
    [InlineData("BENJI_PASSWORD_FILE", "short", "at least 8 bytes")]
    [InlineData("BENJI_PASSWORD_FILE", "lines", "one line")]
    [InlineData("BENJI_PASSWORD_FILE", "empty", "one line")]
    [InlineData("BENJI_PASSWORD_COMMAND", "fails SECRET", "exit code 1")]
    public void AKeyThatCannotBeGotIsAnErrorWithoutTheSecret(string variable, string value, string message)
    {
        _fake.IsRoot = true;
        _fake.Files["/here/short"] = "SECRET";
        _fake.Files["/here/lines"] = "SECRET one\nSECRET two\n";
        _fake.Files["/here/empty"] = "\n";
        _fake.Variables[variable] = value;
        var error = Assert.Throws<ConfigurationException>(() => _fake.Read());
        Assert.StartsWith(variable, error.Message, StringComparison.Ordinal);
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("SECRET", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void AKeyVariableBesideAFileIsWarnedOf()
    {
        _fake.Files["/etc/benji.yaml"] = Minimal;
        _fake.Variables["BENJI_KEY_FILE"] = "/key";
        var loaded = _fake.Read();
        Assert.Null(loaded.Store.Storages[0].Key);
        Assert.Contains("BENJI_KEY_FILE has no effect", Assert.Single(loaded.Warnings), StringComparison.Ordinal);
    }

    [Fact]
    public void TheOptionsAreNotMoreThanTheNamesOfKeys()
    {
        _fake.IsRoot = true;
        _fake.Variables["BENJI_PASSWORD_COMMAND"] = "print it";
        _fake.Commands["print it"] = "SECRET SECRET";
        var text = _fake.Read().ToString() + _fake.Read().Store + _fake.Read().Store.Storages[0];
        Assert.DoesNotContain("SECRET", text, StringComparison.Ordinal);
    }
}
