#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "server/store/database.h"
#include "server/store/secret_box.h"

namespace redoubt::store {
namespace {

class StoreTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = std::filesystem::temp_directory_path() / "redoubt-store-XXXXXX";
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::unique_ptr<Database> OpenWithNotes() {
    auto database = Database::Open(folder_ / "redoubt.db", base::Logger());
    EXPECT_TRUE(database.ok()) << database.status().ToString();
    EXPECT_TRUE((*database)->Migrate(kNotes).ok());
    return std::move(*database);
  }

  static base::Status Add(Database& database, int64_t id, std::string_view text) {
    return database.Write([&](Connection& db) -> base::Status {
      ASSIGN_OR_RETURN(Statement insert, db.Prepare("INSERT INTO notes(id, text) VALUES(?, ?)"));
      return insert.Bind(1, id).Bind(2, text).Run();
    });
  }

  static int64_t Count(const Database& database) {
    auto count = database.Read([](Connection& db) -> base::Result<int64_t> {
      ASSIGN_OR_RETURN(Statement select, db.Prepare("SELECT count(*) FROM notes"));
      RETURN_IF_ERROR(select.Run());
      return select.Int(0);
    });
    EXPECT_TRUE(count.ok()) << count.status().ToString();
    return count.ok() ? *count : -1;
  }

  static constexpr Migration kNotes[] = {{"test/1", "CREATE TABLE notes(id INTEGER PRIMARY KEY, text TEXT);"}};
  std::filesystem::path folder_;
};

TEST_F(StoreTest, ReadsWhatWasWrittenAfterReopening) {
  ASSERT_TRUE(Add(*OpenWithNotes(), 1, "메모").ok());
  auto database = OpenWithNotes();
  auto text = database->Read([](Connection& db) -> base::Result<std::string> {
    ASSIGN_OR_RETURN(Statement select, db.Prepare("SELECT text FROM notes WHERE id = ?"));
    RETURN_IF_ERROR(select.Bind(1, 1).Run());
    return select.Text(0);
  });
  ASSERT_TRUE(text.ok());
  EXPECT_EQ(*text, "메모");
}

TEST_F(StoreTest, AFailedWriteTakesBackOnlyItself) {
  auto database = OpenWithNotes();
  ASSERT_TRUE(Add(*database, 1, "kept").ok());
  base::Status failed = database->Write([](Connection& db) -> base::Status {
    ASSIGN_OR_RETURN(Statement insert, db.Prepare("INSERT INTO notes(id, text) VALUES(2, 'undone')"));
    RETURN_IF_ERROR(insert.Run());
    return base::InvalidArgument("changed my mind");
  });
  EXPECT_EQ(failed.code(), base::StatusCode::kInvalidArgument);
  EXPECT_EQ(Add(*database, 1, "twice").code(), base::StatusCode::kAlreadyExists);
  EXPECT_EQ(Count(*database), 1);
}

TEST_F(StoreTest, ManyThreadsWriteAndReadAtOnce) {
  auto database = OpenWithNotes();
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 50; ++i) {
        EXPECT_TRUE(Add(*database, t * 1000 + i, "x").ok());
        EXPECT_GT(Count(*database), 0);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(Count(*database), 400);
}

TEST_F(StoreTest, WritesThatWaitAreDoneBeforeClosing) {
  auto database = OpenWithNotes();
  for (int i = 0; i < 100; ++i) {
    ASSERT_TRUE(database
                    ->WriteLater([i](Connection& db) -> base::Status {
                      ASSIGN_OR_RETURN(Statement insert, db.Prepare("INSERT INTO notes(id) VALUES(?)"));
                      return insert.Bind(1, i).Run();
                    })
                    .ok());
  }
  database.reset();
  EXPECT_EQ(Count(*OpenWithNotes()), 100);
}

TEST_F(StoreTest, KillLosesNothingThatWasAcknowledged) {
  int acknowledged[2];
  ASSERT_EQ(pipe(acknowledged), 0);
  pid_t child = fork();
  if (child == 0) {
    auto database = OpenWithNotes();
    for (int64_t i = 0;; ++i) {
      if (!Add(*database, i, "x").ok() || write(acknowledged[1], &i, sizeof i) != sizeof i) _exit(1);
    }
  }
  close(acknowledged[1]);
  int64_t last = -1;
  while (last < 200) ASSERT_EQ(read(acknowledged[0], &last, sizeof last), static_cast<ssize_t>(sizeof last));
  kill(child, SIGKILL);
  for (int64_t more; read(acknowledged[0], &more, sizeof more) == sizeof more;) last = more;
  waitpid(child, nullptr, 0);
  close(acknowledged[0]);
  EXPECT_GE(Count(*OpenWithNotes()), last + 1);
}

TEST_F(StoreTest, MigrationsRunOnceAndNameTheOneThatFails) {
  auto database = OpenWithNotes();
  ASSERT_TRUE(database->Migrate(kNotes).ok());
  Migration broken[] = {{"test/2", "CREATE TABLE notes(id);"}};
  EXPECT_NE(database->Migrate(broken).message().find("test/2"), std::string::npos);
}

TEST_F(StoreTest, AFileThatIsNoDatabaseIsDataLoss) {
  std::ofstream(folder_ / "redoubt.db") << std::string(4096, 'x');
  auto database = Database::Open(folder_ / "redoubt.db", base::Logger());
  ASSERT_FALSE(database.ok());
  EXPECT_EQ(database.status().code(), base::StatusCode::kDataLoss);
  EXPECT_NE(database.status().message().find("redoubt.db"), std::string::npos);
}

TEST_F(StoreTest, DatabaseAndKeyAreReadableByTheOwnerOnly) {
  auto database = OpenWithNotes();
  ASSERT_TRUE(SecretBox::Open(folder_ / "secret.key").ok());
  for (const char* name : {"redoubt.db", "redoubt.db-wal", "secret.key"}) {
    struct stat info {};
    ASSERT_EQ(stat((folder_ / name).c_str(), &info), 0) << name;
    EXPECT_EQ(info.st_mode & 0777, 0600u) << name;
  }
}

TEST_F(StoreTest, SealedSecretOpensWithItsKeyOnly) {
  auto box = SecretBox::Open(folder_ / "secret.key");
  ASSERT_TRUE(box.ok());
  std::string sealed = box->Seal("hunter2");
  EXPECT_EQ(sealed.find("hunter2"), std::string::npos);
  EXPECT_NE(sealed, box->Seal("hunter2"));
  auto again = SecretBox::Open(folder_ / "secret.key");
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(*again->Unseal(sealed), "hunter2");
  auto other = SecretBox::Open(folder_ / "other.key");
  EXPECT_EQ(other->Unseal(sealed).status().code(), base::StatusCode::kDataLoss);
  sealed[10] = sealed[10] == 'A' ? 'B' : 'A';
  EXPECT_FALSE(box->Unseal(sealed).ok());
  EXPECT_FALSE(box->Unseal("not base64 !").ok());
}

TEST_F(StoreTest, AKeyThatOthersMayReadIsRefusedWithTheFix) {
  ASSERT_TRUE(SecretBox::Open(folder_ / "secret.key").ok());
  chmod((folder_ / "secret.key").c_str(), 0644);
  auto box = SecretBox::Open(folder_ / "secret.key");
  ASSERT_FALSE(box.ok());
  EXPECT_NE(box.status().message().find("chmod 600"), std::string::npos);
}

}  // namespace
}  // namespace redoubt::store
