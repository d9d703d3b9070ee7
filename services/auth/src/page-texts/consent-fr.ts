import type { ConsentTexts } from './consent-en.ts';

export const consent: ConsentTexts = {
  consentTitle: 'Autoriser cette application ?',
  consentMeans:
    'Une application que votre organisation n’a pas installée demande un accès en votre nom. Elle est connue par l’adresse de son éditeur :',
  consentCallsItself: 'Elle se nomme',
  consentUnknown:
    'Personne ici n’a vérifié ce qu’elle est. Ne l’autorisez que si vous faites confiance à qui se trouve derrière cette adresse.',
  consentAt: 'Auprès de {api}, elle veut :',
  consentOfYou: 'Elle veut savoir de vous :',
  consentOpenid: 'que c’est bien vous, par un identifiant de votre compte',
  consentProfile: 'votre nom et votre langue',
  consentEmail: 'votre adresse e-mail',
  consentOffline: 'tout cela tant que vous êtes connecté, même lorsque vous ne l’utilisez pas',
  consentGoesTo: 'Si vous l’autorisez, vous continuez vers',
  consentLoopback:
    'Si vous l’autorisez, l’accès va à un programme sur votre propre ordinateur ({host}). Ne l’autorisez que si vous venez de démarrer ce programme vous-même.',
  consentAs: 'Vous êtes connecté en tant que {person}, chez {organization}.',
  consentAllow: 'Autoriser',
  consentRefuse: 'Ne pas autoriser',
  consentUndo: 'Vous pouvez le retirer à tout moment sur la page de votre compte.',
  consentChanged: 'Ce que l’application demande a changé entre-temps. Relisez-le.',
  allowedTitle: 'Applications que vous avez autorisées',
  allowedMeans: 'Personne ici ne les a installées. Retirez ce que vous n’utilisez pas : l’accès prend fin aussitôt.',
  allowedWithdraw: 'Retirer',
};
