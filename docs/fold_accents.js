// Added to the search's file of a language. In the index, words lose their accents; of the words that are typed, only the
// stems must match, and “de” or “le” not at all. So “etalonner” finds “étalonnage”. The theme's own stemmer would not find a word half typed.
{
  const { stemmer, stopWordFilter } = lunr.LANG;
  const folded = (word) => word.normalize("NFD").replace(/\p{Mn}/gu, "");
  lunr.LANG.stopWordFilter = (token) => stopWordFilter(token)?.update(folded);
  lunr.Pipeline.registerFunction(lunr.LANG.stopWordFilter, "stopWordFilter-LANG-folded");
  lunr.QueryParser = class extends lunr.QueryParser {
    constructor(query, ...others) {
      const words = query.toLowerCase().split(" ");
      const telling = words.filter((word) => stopWordFilter(word.replace("*", "")));
      const stems = (telling.length ? telling : words).join(" ").replace(/\p{L}+(?=\*)/gu, stemmer);
      super(folded(stems), ...others);
    }
  };
}
