// What a TEXT field costs: indexing 100,000 documents of 30 words, memory per posting, and queries.
//   redoubt_ft_text_bench [documents]
// Words are drawn from 50,000 by Zipf's law (exponent 1). One thread, in process; figures
// are processor time.
#include <fmt/core.h>

#include <algorithm>
#include <ctime>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include "search/create_parser.h"
#include "search/index.h"

namespace redoubt {
namespace {

constexpr size_t kWords = 50'000;
constexpr size_t kWordsPerDocument = 30;
constexpr double kMiB = 1 << 20;

// Of processor time: other work on the machine does not count.
double CpuMicroseconds() {
  timespec now;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e6 + static_cast<double>(now.tv_nsec) * 1e-3;
}

double MicrosOf(const std::function<void()>& work) {
  const double begin = CpuMicroseconds();
  work();
  return CpuMicroseconds() - begin;
}

// Letters that no stemmer takes off.
std::string Word(size_t rank) {
  std::string word = "w";
  for (size_t left = rank; word.size() < 3 || left > 0; left /= 16) word += "bcdfghjklmnpqrtv"[left % 16];
  return word + "o";
}

class Corpus {
 public:
  Corpus() {
    double sum = 0;
    for (size_t rank = 0; rank < kWords; ++rank) {
      words_.push_back(Word(rank));
      cumulative_.push_back(sum += 1.0 / static_cast<double>(rank + 1));
    }
  }
  std::string Text(std::mt19937& random) const {
    std::uniform_real_distribution<double> uniform(0, cumulative_.back());
    std::string text;
    for (size_t i = 0; i < kWordsPerDocument; ++i) {
      const auto at = std::lower_bound(cumulative_.begin(), cumulative_.end(), uniform(random)) - cumulative_.begin();
      text += words_[std::min(static_cast<size_t>(at), kWords - 1)] + " ";
    }
    return text;
  }
  const std::string& word(size_t rank) const { return words_[rank]; }

 private:
  std::vector<std::string> words_;
  std::vector<double> cumulative_;
};

void TimeQuery(const search::Index& index, const std::string& name, const std::string& query) {
  const std::vector<std::string_view> args = {query, "DIALECT", "2"};
  const search::SearchPlan plan = search::PlanSearch(args, index.definition()).value();
  std::vector<double> micros;
  size_t total = 0;
  for (int i = 0; i < 21; ++i) micros.push_back(MicrosOf([&] { total = index.Search(plan).total; }));
  std::nth_element(micros.begin(), micros.begin() + 10, micros.end());
  fmt::print("query  {:<28} {:>9.1f} us  {:>7} found\n", name, micros[10], total);
}

void Run(size_t documents) {
  const std::vector<std::string_view> create = {"i", "SCHEMA", "t", "TEXT", "n", "NUMERIC"};
  auto index = search::Index::Create(search::ParseCreate(create).value(), base::DefaultMemory()).value();
  const Corpus corpus;
  std::mt19937 random(42);
  std::vector<std::string> texts;
  for (size_t i = 0; i < documents; ++i) texts.push_back(corpus.Text(random));
  const auto put_all = [&](size_t shift) {
    for (size_t i = 0; i < documents; ++i) {
      const std::string number = std::to_string(i);
      const std::vector<std::optional<std::string_view>> values = {texts[(i + shift) % documents], number};
      (void)index->Put("doc:" + number, values);
    }
  };
  const auto count = static_cast<double>(documents);
  fmt::print("index  {:.1f} us/document\n", MicrosOf([&] { put_all(0); }) / count);
  const search::IndexStats stats = index->Stats();
  const auto postings = static_cast<double>(stats.records - documents);
  fmt::print("memory {:.1f} MiB: {} words, {:.0f} postings, {:.2f} bytes/posting\n",
             static_cast<double>(stats.text_bytes) / kMiB, stats.terms, postings,
             static_cast<double>(stats.text_bytes) / postings);
  fmt::print("update {:.1f} us/document (each gets another's text)\n", MicrosOf([&] { put_all(1); }) / count);
  fmt::print("memory {:.1f} MiB after it\n", static_cast<double>(index->Stats().text_bytes) / kMiB);
  const std::string &often = corpus.word(0), &common = corpus.word(20), &rare = corpus.word(5000);
  TimeQuery(*index, "rare word", rare);
  TimeQuery(*index, "common word", common);
  TimeQuery(*index, "most frequent word", often);
  TimeQuery(*index, "common and rare", common + " " + rare);
  TimeQuery(*index, "two common", common + " " + corpus.word(21));
  TimeQuery(*index, "three common, any", common + "|" + corpus.word(21) + "|" + corpus.word(22));
  TimeQuery(*index, "phrase of two frequent", "\"" + often + " " + corpus.word(1) + "\"");
  TimeQuery(*index, "prefix", "wbc*");
  TimeQuery(*index, "infix", "*cdf*");
  TimeQuery(*index, "common, 1 % by number", common + " @n:[0 " + std::to_string(documents / 100) + "]");
}

}  // namespace
}  // namespace redoubt

int main(int argc, char** argv) {
  redoubt::Run(argc > 1 ? std::stoul(argv[1]) : 100'000);
  return 0;
}
