using System.Text;
using System.Text.Json;
using Benji.Cli.Output;
using Benji.Store.Model;
using Benji.Store.Operations;
using Xunit;

namespace Benji.Tests.Cli.Output;

public class MachineJsonTests
{
    private static readonly Damage Damaged = new(65536, 131072, BlockId.Hole, "is missing");

    [Fact]
    public void AVersionHasTheOriginalsFieldsAndOurs() =>
        Assert.Equal(
            """
            {
              "versions": [
                {
                  "uid": "vm/web-1/20261123T024501Z",
                  "date": "2026-11-23T02:45:01.123456Z",
                  "volume": "vm/web-1",
                  "snapshot": "b-2026",
                  "size": 10737418240,
                  "block_size": 4194304,
                  "status": "invalid",
                  "protected": true,
                  "storage": "main",
                  "bytes_read": 1000,
                  "bytes_written": 2000,
                  "bytes_deduplicated": 3000,
                  "bytes_sparse": 4096,
                  "duration": 1.5,
                  "labels": {
                    "keep": "",
                    "site": "b\"n"
                  },
                  "id": "0f8fad5b-d9cb-469f-a165-70867728950e",
                  "version": "20261123T024501Z",
                  "bytes_allocated": 65536,
                  "bytes_stored": 5000
                }
              ]
            }
            """,
            Write(writer => MachineJson.WriteVersions(writer, "versions", [SampleVersions.Full])));

    [Fact]
    public void WhatIsNotKnownIsNull()
    {
        using var document = JsonDocument.Parse(
            Write(writer => MachineJson.WriteVersions(writer, "versions", [SampleVersions.Bare])));
        var version = document.RootElement.GetProperty("versions")[0];
        foreach (var field in new[]
        {
            "bytes_read", "bytes_written", "bytes_deduplicated", "bytes_sparse", "bytes_stored", "duration",
        })
        {
            Assert.Equal(JsonValueKind.Null, version.GetProperty(field).ValueKind);
        }

        Assert.Equal("2026-01-02T23:04:05.000000Z", version.GetProperty("date").GetString());
        Assert.Empty(version.GetProperty("labels").EnumerateObject());
    }

    [Fact]
    public void ABackupAddsItsCounts()
    {
        var result = new BackupResult(SampleVersions.Full, SampleVersions.Bare.Name, 1, 2, 3, 4, 5, 6, 7);
        using var document = JsonDocument.Parse(Write(writer => BackupReport.WriteJson(writer, result)));
        Assert.Equal(
            """{"base_version":"db/first","bytes_unchanged":6,"blocks_unchanged":1,"blocks_new":2,"blocks_delta":3,"""
            + "\"blocks_deduplicated\":4,\"blocks_sparse\":5,\"memory_bound\":7}",
            JsonSerializer.Serialize(document.RootElement.GetProperty("backup")));
        Assert.Equal(1, document.RootElement.GetProperty("versions").GetArrayLength());
    }

    [Fact]
    public void ADamagedRestoreNamesTheVersionInErrors()
    {
        var result = new RestoreResult(SampleVersions.Full, 10, 20, [Damaged], TimeSpan.FromSeconds(2.5));
        using var document = JsonDocument.Parse(Write(writer => RestoreReport.WriteJson(writer, result)));
        var root = document.RootElement;
        Assert.Equal("vm/web-1/20261123T024501Z", root.GetProperty("errors")[0].GetProperty("uid").GetString());
        Assert.Equal(65536, root.GetProperty("damage")[0].GetProperty("offset").GetInt64());
        Assert.Equal("is missing", root.GetProperty("damage")[0].GetProperty("reason").GetString());
        Assert.Equal(2.5m, root.GetProperty("restore").GetProperty("duration").GetDecimal());
    }

    [Fact]
    public void ACleanScrubHasNoErrors()
    {
        var result = new ScrubResult(SampleVersions.Bare, 3, 300, [], [], [], TimeSpan.FromSeconds(1));
        using var document = JsonDocument.Parse(Write(writer => ScrubReport.WriteJson(writer, result)));
        var root = document.RootElement;
        Assert.Equal(0, root.GetProperty("errors").GetArrayLength());
        Assert.Equal(0, root.GetProperty("damage").GetArrayLength());
        Assert.Equal(3, root.GetProperty("scrub").GetProperty("blocks_checked").GetInt64());
    }

    [Fact]
    public void AScrubNamesDamageDifferencesAndOtherVersions()
    {
        var result = new ScrubResult(
            SampleVersions.Full, 3, 300, [Damaged], [new Extent(0, 512, ExtentKind.Data)], [SampleVersions.Bare.Name],
            TimeSpan.FromSeconds(1));
        using var document = JsonDocument.Parse(Write(writer => ScrubReport.WriteJson(writer, result)));
        var root = document.RootElement;
        Assert.Equal(1, root.GetProperty("errors").GetArrayLength());
        Assert.Equal(512, root.GetProperty("source_differences")[0].GetProperty("length").GetInt64());
        Assert.Equal("db/first", root.GetProperty("versions_invalidated")[0].GetString());
    }

    private static string Write(Action<Utf8JsonWriter> write)
    {
        using var stream = new MemoryStream();
        using (var writer = new Utf8JsonWriter(stream, MachineJson.Options))
        {
            writer.WriteStartObject();
            write(writer);
            writer.WriteEndObject();
        }

        return Encoding.UTF8.GetString(stream.ToArray());
    }
}
